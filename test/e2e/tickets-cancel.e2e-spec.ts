import { startTestApi, type TestApi } from '../support/api';
import { bookingsBy, expectRefusal, resolved, UNKNOWN } from '../support/bookings';
import { INVENTORY_MISMATCHES } from '../support/seats';

describe('tickets', () => {
  let api: TestApi;
  let user: { id: number };

  beforeAll(async () => {
    api = await startTestApi();
    user = await api.create.user();
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(() => api.stop());

  const { reserve, pay, cancel, show, seats, hold } = bookingsBy(
    () => api,
    () => user,
  );

  describe('POST /tickets/{ticket_id}/cancel', () => {
    it('gives the place back at once', async () => {
      const event = await api.create.event({ total_tickets: 1 });
      const ticket = await hold(event);
      const { status, body } = await cancel(ticket);
      expect(status).toBe(200);
      expect(body).toEqual(resolved(ticket, 'cancelled'));
      expect(await show(ticket)).toEqual(body);
      expect(await seats(event)).toEqual({ capacity: 1, held: 0, sold: 0 });
      expect((await reserve((await api.create.user()).id, event.id)).status).toBe(201);
    });

    it.each([
      ['paid', pay],
      ['cancelled', cancel],
    ])('refuses a ticket that is %s, and leaves it as it is', async (state, resolve) => {
      const event = await api.create.event();
      const { body: ticket } = await resolve(await hold(event));
      expect(ticket.status).toBe(state);
      const before = await seats(event);
      const refused = await cancel(ticket);
      expectRefusal(refused, 'ticket_not_cancellable');
      expect(refused.body.ticket_status).toBe(state);
      expect(await show(ticket)).toEqual(ticket);
      expect(await seats(event)).toEqual(before);
    });

    it('refuses a ticket that is not there', async () => {
      expectRefusal(await cancel({ id: UNKNOWN }), 'ticket_not_found');
    });
  });
});
