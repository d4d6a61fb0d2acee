import { TicketsService } from '../../src/tickets/tickets.service';
import { bookingSuite, expectRefusal, INSTANT, UNKNOWN } from '../support/bookings';
import { expectProblem } from '../support/problems';
import { titled } from '../support/tables';

describe('tickets', () => {
  const suite = bookingSuite();
  const { reserve, pay, seats, hold } = suite;

  describe('POST /tickets/', () => {
    it('reserves a ticket, and tells where it is and how long it is held', async () => {
      const event = await suite.api.create.event({ total_tickets: 1 });
      const { status, headers, body: ticket } = await reserve(suite.user.id, event.id);
      expect(status).toBe(201);
      expect(ticket).toEqual({
        id: expect.any(Number),
        user_id: suite.user.id,
        event_id: event.id,
        order_code: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{10}$/),
        ticket_type_id: expect.any(Number),
        price: 0,
        attendee: null,
        status: 'reserved',
        created_at: expect.stringMatching(INSTANT),
        expires_at: expect.stringMatching(INSTANT),
        paid_at: null,
        expires_in_ms: 120_000,
      });
      expect(Date.parse(ticket.expires_at) - Date.parse(ticket.created_at)).toBe(120_000);
      expect(headers.get('location')).toBe(`/tickets/${ticket.id}`);
      expect(await seats(event)).toEqual({ capacity: 1, held: 1, sold: 0 });
    });

    it('refuses a user that is not there before an event that is not there', async () => {
      expectRefusal(await reserve(UNKNOWN, UNKNOWN), 'user_not_found');
    });

    it('refuses an event that is not there', async () => {
      expectRefusal(await reserve(suite.user.id, UNKNOWN), 'event_not_found');
    });

    it('refuses a user that is not there before an event that has ended', async () => {
      expectRefusal(await reserve(UNKNOWN, (await pastEvent(0)).id), 'user_not_found');
    });

    it('refuses an event that has ended before one that is sold out', async () => {
      expectRefusal(await reserve(suite.user.id, (await pastEvent(0)).id), 'event_ended');
    });

    it('refuses an event that has ended and has places', async () => {
      expectRefusal(await reserve(suite.user.id, (await pastEvent(10)).id), 'event_ended');
    });

    it('takes an event that has begun and not ended', async () => {
      const event = await suite.api.create.event({ start_time: '2001-01-01T00:00:00Z' });
      expect((await reserve(suite.user.id, event.id)).status).toBe(201);
    });

    it('has nothing to sell where the event lost its counter', async () => {
      const event = await suite.api.create.event({ total_tickets: 1 });
      const other = await suite.api.create.event();
      await suite.api.sql('DELETE FROM quotas WHERE event_id = $1', [event.id]);
      const [refused, held] = await Promise.all([
        reserve(suite.user.id, event.id),
        reserve(suite.user.id, other.id),
      ]);
      expectRefusal(refused, 'event_sold_out');
      expect(held.status).toBe(201);
      const { body } = await suite.api.client.get(`/events/${event.id}`);
      expect(body).toMatchObject({ id: event.id, total_tickets: 0, tickets_available: 0 });
    });

    it('refuses an event that never had a place', async () => {
      const event = await suite.api.create.event({ total_tickets: 0 });
      expectRefusal(await reserve(suite.user.id, event.id), 'event_sold_out');
    });

    it.each(['reserved', 'paid'])('refuses an event whose only ticket is %s', async (state) => {
      const event = await suite.api.create.event({ total_tickets: 1 });
      const ticket = await hold(event);
      if (state === 'paid') await pay(ticket);
      expectRefusal(await reserve((await suite.api.create.user()).id, event.id), 'event_sold_out');
    });

    it.each(
      titled([
        ['user_id', null],
        ['user_id', '1'],
        ['user_id', 0],
        ['user_id', -1],
        ['user_id', 1.5],
        ['user_id', 2 ** 53],
        ['user_id', 1e30],
        ['user_id', true],
        ['user_id', [1]],
        ['event_id', undefined],
        ['event_id', null],
        ['event_id', '1'],
        ['event_id', 0],
        ['event_id', -1],
        ['event_id', 1.5],
        ['event_id', 2 ** 53],
        ['event_id', { id: 1 }],
        ['ticket_id', 1],
        ['quantity', 2],
        ['status', 'paid'],
      ]),
    )('refuses %s %s', async (field, _title, value) => {
      const body = { user_id: 1, event_id: 1, [field]: value };
      expectProblem(await suite.api.client.post('/tickets/', body), 422, 'validation_failed', {
        pointers: [`/${field}`],
      });
    });

    it('takes the largest id for one that is not there', async () => {
      expectRefusal(await reserve(Number.MAX_SAFE_INTEGER, 1), 'user_not_found');
      expectRefusal(await reserve(suite.user.id, Number.MAX_SAFE_INTEGER), 'event_not_found');
    });

    it('gives each of many at once an answer of its own', async () => {
      const [open, full, ended] = [
        await suite.api.create.event({ total_tickets: 100 }),
        await suite.api.create.event({ total_tickets: 0 }),
        await pastEvent(5),
      ];
      const users = await Promise.all(Array.from({ length: 8 }, () => suite.api.create.user()));
      const answers = await Promise.all(
        users.flatMap(({ id }) => [
          reserve(id, open.id),
          reserve(UNKNOWN, open.id),
          reserve(id, UNKNOWN),
          reserve(id, ended.id),
          reserve(id, full.id),
        ]),
      );
      const outcomes = answers.map(({ status, body }) => (status === 201 ? body.user_id : body.code));
      expect(outcomes).toEqual(
        users.flatMap(({ id }) => [id, 'user_not_found', 'event_not_found', 'event_ended', 'event_sold_out']),
      );
      expect(await seats(open)).toEqual({ capacity: 100, held: 8, sold: 0 });
    });

    it('never gives more than there are, and first to those who come first', async () => {
      const event = await suite.api.create.event({ total_tickets: 10 });
      const users = await Promise.all(Array.from({ length: 50 }, () => suite.api.create.user()));
      const service = suite.api.app.get(TicketsService, { strict: false });
      const calls = await Promise.allSettled(
        users.map(({ id }) => service.reserve({ userId: id }, event.id, null)),
      );
      const winners = calls.flatMap((call) => (call.status === 'fulfilled' ? [call.value] : []));
      expect(winners.map((ticket) => ticket.userId)).toEqual(users.slice(0, 10).map(({ id }) => id));
      expect(winners.map((ticket) => ticket.id)).toEqual(winners.map(({ id }) => id).sort((a, b) => a - b));
      for (const call of calls.slice(10)) {
        expect(call).toMatchObject({ status: 'rejected', reason: { code: 'event_sold_out' } });
      }
      expect(await seats(event)).toEqual({ capacity: 10, held: 10, sold: 0 });
    });
  });

  const pastEvent = (total_tickets: number) =>
    suite.api.create.event({
      start_time: '2001-01-01T00:00:00Z',
      end_time: '2001-01-02T00:00:00Z',
      total_tickets,
    });
});
