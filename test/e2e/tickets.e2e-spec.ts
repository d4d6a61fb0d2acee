import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import type { Problem } from '../../src/problems/problem';
import { TicketsService } from '../../src/tickets/tickets.service';
import { startTestApi, type TestApi } from '../support/api';
import type { Answer } from '../support/client';
import { eventually } from '../support/eventually';
import { expectProblem } from '../support/problems';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { titled } from '../support/tables';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UNKNOWN = 999_999;
/** Nothing listens on it; an API that is told to leave expiration to workers releases nothing by itself. */
const DEAD_REDIS = 'redis://127.0.0.1:1';

/** A reserved ticket as it reads once it is no longer: without the time left. */
const resolved = (ticket: object, status: string) => ({ ...ticket, status, expires_in_ms: undefined });

const REFUSALS = {
  user_not_found: [404, 'User not found'],
  event_not_found: [404, 'Event not found'],
  event_ended: [409, 'Event has ended'],
  event_sold_out: [409, 'Event is sold out'],
  hold_limit_reached: [409, undefined],
  ticket_not_found: [404, 'Ticket not found'],
  ticket_not_payable: [409, 'Ticket already paid or expired'],
  ticket_not_cancellable: [409, undefined],
} as const;

function expectRefusal(answer: Answer, code: keyof typeof REFUSALS): void {
  const [status, detail] = REFUSALS[code];
  expectProblem(answer, status, code, { detail });
}

describe('tickets', () => {
  let api: TestApi;
  let user: { id: number };

  beforeAll(async () => {
    api = await startTestApi();
    user = await api.create.user();
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(() => api.stop());

  const reserve = (user_id: unknown, event_id: unknown, by = api) =>
    by.client.post('/tickets/', { user_id, event_id });
  const pay = (ticket: { id: number }, by = api) => by.client.post(`/tickets/${ticket.id}/pay`);
  const cancel = (ticket: { id: number }, by = api) => by.client.post(`/tickets/${ticket.id}/cancel`);
  const show = async ({ id }: { id: number }, by = api) => (await by.client.get(`/tickets/${id}`)).body;
  const seats = async ({ id }: { id: number }, by = api) => {
    const [row] = await by.sql('SELECT capacity, held, sold FROM inventory WHERE event_id = $1', [id]);
    return row;
  };
  const hold = (event: { id: number }, by = api) =>
    by.create.ticket({ user_id: user.id, event_id: event.id });

  describe('POST /tickets/', () => {
    it('reserves a ticket, and tells where it is and how long it is held', async () => {
      const event = await api.create.event({ total_tickets: 1 });
      const { status, headers, body: ticket } = await reserve(user.id, event.id);
      expect(status).toBe(201);
      expect(ticket).toEqual({
        id: expect.any(Number),
        user_id: user.id,
        event_id: event.id,
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
      expectRefusal(await reserve(user.id, UNKNOWN), 'event_not_found');
    });

    it('refuses a user that is not there before an event that has ended', async () => {
      expectRefusal(await reserve(UNKNOWN, (await pastEvent(0)).id), 'user_not_found');
    });

    it('refuses an event that has ended before one that is sold out', async () => {
      expectRefusal(await reserve(user.id, (await pastEvent(0)).id), 'event_ended');
    });

    it('refuses an event that has ended and has places', async () => {
      expectRefusal(await reserve(user.id, (await pastEvent(10)).id), 'event_ended');
    });

    it('takes an event that has begun and not ended', async () => {
      const event = await api.create.event({ start_time: '2001-01-01T00:00:00Z' });
      expect((await reserve(user.id, event.id)).status).toBe(201);
    });

    it('has nothing to sell where the event lost its counter', async () => {
      const event = await api.create.event({ total_tickets: 1 });
      const other = await api.create.event();
      await api.sql('DELETE FROM inventory WHERE event_id = $1', [event.id]);
      const [refused, held] = await Promise.all([reserve(user.id, event.id), reserve(user.id, other.id)]);
      expectRefusal(refused, 'event_sold_out');
      expect(held.status).toBe(201);
      const { body } = await api.client.get(`/events/${event.id}`);
      expect(body).toMatchObject({ id: event.id, total_tickets: 0, tickets_available: 0 });
    });

    it('refuses an event that never had a place', async () => {
      const event = await api.create.event({ total_tickets: 0 });
      expectRefusal(await reserve(user.id, event.id), 'event_sold_out');
    });

    it.each(['reserved', 'paid'])('refuses an event whose only ticket is %s', async (state) => {
      const event = await api.create.event({ total_tickets: 1 });
      const ticket = await hold(event);
      if (state === 'paid') await pay(ticket);
      expectRefusal(await reserve((await api.create.user()).id, event.id), 'event_sold_out');
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
      expectProblem(await api.client.post('/tickets/', body), 422, 'validation_failed', {
        pointers: [`/${field}`],
      });
    });

    it('takes the largest id for one that is not there', async () => {
      expectRefusal(await reserve(Number.MAX_SAFE_INTEGER, 1), 'user_not_found');
      expectRefusal(await reserve(user.id, Number.MAX_SAFE_INTEGER), 'event_not_found');
    });

    it('gives each of many at once an answer of its own', async () => {
      const [open, full, ended] = [
        await api.create.event({ total_tickets: 100 }),
        await api.create.event({ total_tickets: 0 }),
        await pastEvent(5),
      ];
      const users = await Promise.all(Array.from({ length: 8 }, () => api.create.user()));
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
      const event = await api.create.event({ total_tickets: 10 });
      const users = await Promise.all(Array.from({ length: 50 }, () => api.create.user()));
      const service = api.app.get(TicketsService, { strict: false });
      const calls = await Promise.allSettled(
        users.map(({ id }) => service.reserve({ userId: id }, event.id)),
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

  describe('GET /tickets/{ticket_id}', () => {
    it('shows a reserved ticket with the time that is left', async () => {
      const { expires_in_ms: atFirst, ...ticket } = await hold(await api.create.event());
      await sleep(20);
      const { expires_in_ms: left, ...shown } = await show(ticket);
      expect(shown).toEqual(ticket);
      expect(left).toBeLessThan(atFirst);
      expect(left).toBeGreaterThan(atFirst - 60_000);
    });

    it('refuses a ticket that is not there', async () => {
      expectRefusal(await api.client.get(`/tickets/${UNKNOWN}`), 'ticket_not_found');
    });
  });

  describe('POST /tickets/{ticket_id}/pay', () => {
    it('sells a reserved ticket', async () => {
      const event = await api.create.event({ total_tickets: 3 });
      const ticket = await hold(event);
      const { status, headers, body } = await pay(ticket);
      expect(status).toBe(200);
      expect(body).toEqual({ ...resolved(ticket, 'paid'), paid_at: expect.stringMatching(INSTANT) });
      expect(Date.parse(body.paid_at)).toBeGreaterThanOrEqual(Date.parse(body.created_at));
      expect(Date.parse(body.paid_at)).toBeLessThan(Date.parse(body.expires_at));
      expect(headers.get('location')).toBeNull();
      expect(await show(ticket)).toEqual(body);
      expect(await seats(event)).toEqual({ capacity: 3, held: 0, sold: 1 });
    });

    it('refuses a ticket that is paid, and leaves it as it is', async () => {
      const event = await api.create.event();
      const { body: paid } = await pay(await hold(event));
      const refused = await pay(paid);
      expectRefusal(refused, 'ticket_not_payable');
      expect(refused.body).toMatchObject({ ticket_status: 'paid', paid_at: paid.paid_at });
      expect(await show(paid)).toEqual(paid);
      expect(await seats(event)).toMatchObject({ held: 0, sold: 1 });
    });

    it('refuses a ticket that is cancelled', async () => {
      const ticket = await hold(await api.create.event());
      await cancel(ticket);
      const refused = await pay(ticket);
      expectRefusal(refused, 'ticket_not_payable');
      expect(refused.body.ticket_status).toBe('cancelled');
    });

    it('refuses a ticket that is not there', async () => {
      expectRefusal(await pay({ id: UNKNOWN }), 'ticket_not_found');
    });

    it('refuses a body: there is nothing to say', async () => {
      const ticket = await hold(await api.create.event());
      expectProblem(
        await api.client.post(`/tickets/${ticket.id}/pay`, { amount: 0 }),
        422,
        'validation_failed',
        { pointers: ['/amount'] },
      );
      expect((await api.client.post(`/tickets/${ticket.id}/pay`, {})).status).toBe(200);
    });
  });

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

  describe('GET /users/{user_id}/tickets', () => {
    it("lists the user's tickets of all states, newest first", async () => {
      const [owner, other] = [await api.create.user(), await api.create.user()];
      const event = await api.create.event();
      const tickets = [];
      for (const { id } of [owner, other, owner, owner, owner]) {
        tickets.push(await api.create.ticket({ user_id: id, event_id: event.id }));
      }
      const [paid, ofOther, cancelled, due, kept] = tickets;
      await pay(paid);
      await cancel(cancelled);
      await fallDue(due);
      const { status, headers, body } = await api.client.get<{ id: number }[]>(`/users/${owner.id}/tickets`);
      expect(status).toBe(200);
      expect(headers.get('link')).toBeNull();
      const shown = await Promise.all([due, cancelled, paid].map((ticket) => show(ticket)));
      expect(shown.map((ticket) => ticket.status)).toEqual(['expired', 'cancelled', 'paid']);
      expect(body).toEqual([{ ...kept, expires_in_ms: expect.any(Number) }, ...shown]);
      expect((await api.client.get(`/users/${other.id}/tickets/`)).body).toMatchObject([{ id: ofOther.id }]);
    });

    it('is an empty list for who has none', async () => {
      const { id } = await api.create.user();
      expect(await api.client.get(`/users/${id}/tickets`)).toMatchObject({ status: 200, body: [] });
    });

    it('refuses a user that is not there', async () => {
      expectRefusal(await api.client.get(`/users/${UNKNOWN}/tickets`), 'user_not_found');
    });
  });

  describe('in a race, between two APIs on one database', () => {
    let second: TestApi;

    beforeAll(async () => {
      second = await startTestApi({ DATABASE_URL: api.settings.DATABASE_URL ?? '' });
    });
    afterAll(() => second.stop());

    /** Thirty of one kind at once, every other one by the second API. */
    const thirty = (act: (by: TestApi, i: number) => Promise<Answer>) =>
      Promise.all(Array.from({ length: 30 }, (_, i) => act(i % 2 === 0 ? api : second, i)));

    /** Lets both APIs come as far as the seats of the event, so that neither has seen what the other does. */
    async function atTheSameTime(event: { id: number }, act: () => Promise<Answer[]>): Promise<Answer[]> {
      let answers: Promise<Answer[]> | undefined;
      await api.app.get(DataSource).transaction(async (manager) => {
        await manager.query('SELECT FROM inventory WHERE event_id = $1 FOR UPDATE', [event.id]);
        answers = act();
        const waiting = `SELECT count(*)::int AS number FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        await eventually(async () => expect((await second.sql(waiting))[0].number).toBeGreaterThanOrEqual(2));
      });
      return (await answers) ?? [];
    }

    it('one ticket is paid once', async () => {
      const event = await api.create.event({ total_tickets: 2 });
      const ticket = await hold(event);
      const answers = await atTheSameTime(event, () => thirty((by) => pay(ticket, by)));
      const [paid, ...others] = answers.sort((a, b) => a.status - b.status);
      expect(paid?.body).toEqual(await show(ticket));
      expect(paid).toMatchObject({ status: 200, body: { status: 'paid' } });
      expect(others).toHaveLength(29);
      for (const answer of others) {
        expectRefusal(answer, 'ticket_not_payable');
        // Also those that came with it in one statement.
        expect(answer.body).toMatchObject({ ticket_status: 'paid', paid_at: paid?.body.paid_at });
      }
      expect(await seats(event)).toEqual({ capacity: 2, held: 0, sold: 1 });
    });

    it('one ticket is paid or cancelled, never both', async () => {
      for (let round = 0; round < 6; round++) {
        const event = await api.create.event({ total_tickets: 2 });
        const ticket = await hold(event);
        const answers = await atTheSameTime(event, () =>
          thirty((by, i) => (i % 3 === round % 3 ? pay(ticket, by) : cancel(ticket, by))),
        );
        const winners = answers.filter(({ status }) => status === 200);
        expect(winners.map(({ body }) => body)).toEqual([await show(ticket)]);
        const sold = winners[0]?.body.status === 'paid' ? 1 : 0;
        expect(await seats(event)).toEqual({ capacity: 2, held: 0, sold });
      }
    });

    it('the last places are given once', async () => {
      const event = await api.create.event({ total_tickets: 10 });
      const users = await Promise.all(Array.from({ length: 30 }, () => api.create.user()));
      const answers = await atTheSameTime(event, () =>
        thirty((by, i) => reserve(users[i]?.id, event.id, by)),
      );
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
      for (const answer of answers.filter(({ status }) => status !== 201)) {
        expectRefusal(answer, 'event_sold_out');
      }
      expect(await seats(event)).toEqual({ capacity: 10, held: 10, sold: 0 });
    });

    it('nobody gets past the limit of holds', async () => {
      const [person, event] = [await api.create.user(), await api.create.event({ total_tickets: 100 })];
      const answers = await atTheSameTime(event, () => thirty((by) => reserve(person.id, event.id, by)));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
      for (const answer of answers.filter(({ status }) => status !== 201)) {
        expectRefusal(answer, 'hold_limit_reached');
      }
      expect(await seats(event)).toEqual({ capacity: 100, held: 10, sold: 0 });
    });
  });

  describe('the limit of live holds per user and event', () => {
    let limited: TestApi;

    beforeAll(async () => {
      limited = await startTestApi({
        DATABASE_URL: api.settings.DATABASE_URL ?? '',
        MAX_HOLDS_PER_USER_EVENT: '2',
      });
    });
    afterAll(() => limited.stop());

    it('holds for one user and one event only', async () => {
      const [event, other] = [await api.create.event(), await api.create.event()];
      const holds = [await hold(event, limited), await hold(event, limited)];
      expect(holds).toHaveLength(2);
      expectRefusal(await reserve(user.id, event.id, limited), 'hold_limit_reached');
      expect((await reserve(user.id, other.id, limited)).status).toBe(201);
      expect((await reserve((await api.create.user()).id, event.id, limited)).status).toBe(201);
      expect(await seats(event)).toMatchObject({ held: 3 });
    });

    it.each([
      ['paid', (ticket: { id: number }) => pay(ticket)],
      ['cancelled', (ticket: { id: number }) => cancel(ticket)],
      ['expired', (ticket: { id: number }) => fallDue(ticket)],
    ])('counts no ticket that is %s', async (state, resolve) => {
      const event = await api.create.event();
      const [first] = [await hold(event, limited), await hold(event, limited)];
      expectRefusal(await reserve(user.id, event.id, limited), 'hold_limit_reached');
      await resolve(first);
      expect((await show(first)).status).toBe(state);
      expect((await reserve(user.id, event.id, limited)).status).toBe(201);
      expectRefusal(await reserve(user.id, event.id, limited), 'hold_limit_reached');
    });

    it('comes after "sold out"', async () => {
      const event = await api.create.event({ total_tickets: 2 });
      await hold(event, limited);
      await hold(event, limited);
      expectRefusal(await reserve(user.id, event.id, limited), 'event_sold_out');
    });

    it('lets as many pass as it allows, and does not take the places of others, within one batch', async () => {
      const event = await api.create.event({ total_tickets: 4 });
      const [greedy, next] = [await api.create.user(), await api.create.user()];
      const service = limited.app.get(TicketsService, { strict: false });
      const calls = [greedy, greedy, greedy, next, greedy, next, next].map(({ id }) =>
        service.reserve({ userId: id }, event.id).then(
          (ticket) => ticket.userId,
          (error: unknown) => (error as Problem).code,
        ),
      );
      expect(await Promise.all(calls)).toEqual([
        greedy.id,
        greedy.id,
        'hold_limit_reached',
        next.id,
        'hold_limit_reached',
        next.id,
        'event_sold_out',
      ]);
    });

    it('is none at 0', async () => {
      const unlimited = await startTestApi({
        DATABASE_URL: api.settings.DATABASE_URL ?? '',
        MAX_HOLDS_PER_USER_EVENT: '0',
      });
      const event = await api.create.event({ total_tickets: 15 });
      const answers = await Promise.all(
        Array.from({ length: 16 }, () => reserve(user.id, event.id, unlimited)),
      );
      await unlimited.stop();
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(15);
      expectRefusal(answers.find(({ status }) => status !== 201) as Answer, 'event_sold_out');
    });
  });

  describe('when nobody releases what is due: no worker is up, and Redis is down', () => {
    let lonely: TestApi;

    beforeAll(async () => {
      lonely = await startTestApi({ REDIS_URL: DEAD_REDIS, MAX_HOLDS_PER_USER_EVENT: '2' });
      user = await lonely.create.user();
    });
    afterEach(async () => expect(await lonely.sql(INVENTORY_MISMATCHES)).toEqual([]));
    afterAll(() => lonely.stop());

    const stored = async ({ id }: { id: number }) => {
      const [row] = await lonely.sql('SELECT status FROM tickets WHERE id = $1', [id]);
      return row.status;
    };

    it('books as always', async () => {
      const event = await lonely.create.event({ total_tickets: 2 });
      const [first, second] = [await hold(event, lonely), await hold(event, lonely)];
      expect(await pay(first, lonely)).toMatchObject({ status: 200, body: { status: 'paid' } });
      expect(await cancel(second, lonely)).toMatchObject({ status: 200, body: { status: 'cancelled' } });
      expect(await seats(event, lonely)).toEqual({ capacity: 2, held: 0, sold: 1 });
    });

    it('shows a ticket as expired from its time on, and neither sells nor cancels it', async () => {
      const ticket = await hold(await lonely.create.event(), lonely);
      await fallDue(ticket, lonely);
      const shown = await show(ticket, lonely);
      expect(shown).toEqual({
        ...resolved(ticket, 'expired'),
        created_at: expect.any(String),
        expires_at: expect.any(String),
      });
      expect((await lonely.client.get(`/users/${user.id}/tickets?limit=1`)).body).toEqual([shown]);
      const refused = await pay(ticket, lonely);
      expectRefusal(refused, 'ticket_not_payable');
      expect(refused.body.ticket_status).toBe('expired');
      expectRefusal(await cancel(ticket, lonely), 'ticket_not_cancellable');
      expect(await stored(ticket)).toBe('reserved');
    });

    it('gives the place to the next reservation that would be told "sold out"', async () => {
      const event = await lonely.create.event({ total_tickets: 1 });
      const [ticket, next] = [await hold(event, lonely), await lonely.create.user()];
      expectRefusal(await reserve(next.id, event.id, lonely), 'event_sold_out');
      await fallDue(ticket, lonely);
      expect(await reserve(next.id, event.id, lonely)).toMatchObject({
        status: 201,
        body: { user_id: next.id, status: 'reserved' },
      });
      expect(await stored(ticket)).toBe('expired');
      expect(await seats(event, lonely)).toEqual({ capacity: 1, held: 1, sold: 0 });
      expectRefusal(await reserve(next.id, event.id, lonely), 'event_sold_out');
    });

    it('gives all places that are due to a crowd, once each, and leaves the holds of other events', async () => {
      const [event, other] = [await lonely.create.event({ total_tickets: 4 }), await lonely.create.event()];
      const holders = await Promise.all(Array.from({ length: 4 }, () => lonely.create.user()));
      for (const { id } of holders) {
        await fallDue(await lonely.create.ticket({ user_id: id, event_id: event.id }), lonely);
      }
      const untouched = await hold(other, lonely);
      await fallDue(untouched, lonely);
      const crowd = await Promise.all(Array.from({ length: 20 }, () => lonely.create.user()));
      const answers = await Promise.all(crowd.map(({ id }) => reserve(id, event.id, lonely)));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(4);
      expect(await seats(event, lonely)).toEqual({ capacity: 4, held: 4, sold: 0 });
      expect(await stored(untouched)).toBe('reserved');
    });

    it('counts no hold that is due against the limit', async () => {
      const event = await lonely.create.event({ total_tickets: 3 });
      const [first] = [await hold(event, lonely), await hold(event, lonely)];
      expectRefusal(await reserve(user.id, event.id, lonely), 'hold_limit_reached');
      await fallDue(first, lonely);
      expect((await reserve(user.id, event.id, lonely)).status).toBe(201);
      expect(await stored(first)).toBe('reserved');
    });
  });

  const pastEvent = (total_tickets: number) =>
    api.create.event({
      start_time: '2001-01-01T00:00:00Z',
      end_time: '2001-01-02T00:00:00Z',
      total_tickets,
    });

  /** Moves a hold back in time, so that it falls due this very instant. */
  async function fallDue({ id }: { id: number }, by = api): Promise<void> {
    await by.sql(
      `UPDATE tickets SET created_at = created_at - (expires_at - now()), expires_at = now() WHERE id = $1`,
      [id],
    );
  }
});
