import { setTimeout as sleep } from 'node:timers/promises';
import { startTestApi, type TestApi } from '../support/api';
import { bookingsBy, expectRefusal, resolved } from '../support/bookings';
import { partyOf } from '../support/orders';
import { expectProblem } from '../support/problems';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { openTill } from '../support/till';

/** Nothing listens on it; an API that is told to leave expiration to workers releases nothing by itself. */
const DEAD_REDIS = 'redis://127.0.0.1:1';

describe('tickets', () => {
  let lonely: TestApi;
  let user: { id: number };

  const { reserve, pay, cancel, show, seats, hold, fallDue } = bookingsBy(
    () => lonely,
    () => user,
  );

  describe('when nobody releases what is due: no worker is up, and Redis is down', () => {
    beforeAll(async () => {
      lonely = await startTestApi({ REDIS_URL: DEAD_REDIS, MAX_HOLDS_PER_USER_EVENT: '2' });
      user = await lonely.create.user();
    });
    afterEach(async () => expect(await lonely.sql(INVENTORY_MISMATCHES)).toEqual([]));
    afterAll(() => lonely.stop());

    const stored = async ({ id }: { id: number }) => {
      const [row] = await lonely.sql('SELECT status FROM ticket_states WHERE id = $1', [id]);
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

    it('gives back a place whose payment was open when its hold ended, once that payment is closed', async () => {
      const hasty = await startTestApi({
        DATABASE_URL: lonely.settings.DATABASE_URL ?? '',
        REDIS_URL: DEAD_REDIS,
        HOLD_SECONDS: '4',
      });
      try {
        const till = await openTill(hasty, { total_tickets: 1 });
        const next = await partyOf(hasty);
        const items = [{ ticket_type_id: till.priced, quantity: 1 }];
        const order = () => next.client.post('/orders', { event_id: till.event.id, items });
        const paying = await till.place(1);
        expect(await till.pay(paying, 'requires_action')).toMatchObject({ status: 201 });
        // A look goes on two seconds before the one before it.
        await sleep(4_000 + 2_500);
        for (let n = 0; n < 2; n++) expectRefusal(await order(), 'event_sold_out');
        const refused = await till.buyer.client.post(`/orders/${paying.code}/cancel`);
        expectProblem(refused, 409, 'order_not_cancellable');
        expect((await order()).status).toBe(201);
      } finally {
        await hasty.stop();
      }
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
});
