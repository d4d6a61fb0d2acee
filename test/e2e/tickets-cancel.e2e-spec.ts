import { bookingSuite, expectRefusal, resolved, UNKNOWN } from '../support/bookings';

describe('tickets', () => {
  const suite = bookingSuite();
  const { reserve, pay, cancel, show, seats, hold } = suite;

  describe('POST /tickets/{ticket_id}/cancel', () => {
    it('gives the place back at once', async () => {
      const event = await suite.api.create.event({ total_tickets: 1 });
      const ticket = await hold(event);
      const { status, body } = await cancel(ticket);
      expect(status).toBe(200);
      expect(body).toEqual(resolved(ticket, 'cancelled'));
      expect(await show(ticket)).toEqual(body);
      expect(await seats(event)).toEqual({ capacity: 1, held: 0, sold: 0 });
      expect((await reserve((await suite.api.create.user()).id, event.id)).status).toBe(201);
    });

    it.each([
      ['paid', pay],
      ['cancelled', cancel],
    ])('refuses a ticket that is %s, and leaves it as it is', async (state, resolve) => {
      const event = await suite.api.create.event();
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
