import { setTimeout as sleep } from 'node:timers/promises';
import { extendHold } from '../../src/inventory/extend-hold.statement';
import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { partyOf, stageBy, type Party, type TicketBody } from '../support/orders';
import { expectProblem } from '../support/problems';
import { exact, isReplay } from '../support/replays';
import { INVENTORY_MISMATCHES } from '../support/seats';

describe('a held order', () => {
  let database: TestDatabase;
  let api: TestApi;
  let other: TestApi;
  let organizer: Party;
  let buyer: Party;
  let stranger: Party;
  let event: { id: number };
  let type: number;

  beforeAll(async () => {
    // Nothing listens there; an API that leaves the end of holds to workers ends none by itself.
    const REDIS_URL = 'redis://127.0.0.1:1';
    database = await createDatabase();
    api = await startTestApi({ REDIS_URL, DATABASE_URL: database.url, MAX_HOLDS_PER_USER_EVENT: '0' });
    other = await startTestApi({ REDIS_URL, DATABASE_URL: database.url });
    [organizer, buyer, stranger] = [await partyOf(api), await partyOf(api), await partyOf(api)];
    event = await stage.event(organizer, { total_tickets: 1_000 });
    type = await stage.type(event, { capacity: 500 });
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(async () => {
    await other.stop();
    await api.stop();
    await database.drop();
  });

  const stage = stageBy(() => api);
  const place = async () => {
    const items = [{ ticket_type_id: type, quantity: 2 }];
    const { body } = await buyer.client.post('/orders', { event_id: event.id, items });
    return body;
  };
  const cancel = ({ code }: { code: string }, by = buyer, headers = {}) =>
    by.client.post(`/orders/${code}/cancel`, undefined, headers);
  const extend = ({ code }: { code: string }, by = buyer, headers = {}) =>
    by.client.post(`/orders/${code}/extend`, undefined, headers);
  const show = async ({ code }: { code: string }) => (await buyer.client.get(`/orders/${code}`)).body;
  const admin = () => ({ id: 0, client: api.client });

  describe('POST /orders/{code}/cancel', () => {
    it('gives all places back', async () => {
      const before = await stage.counters(event);
      const order = await place();
      const { status, body } = await cancel(order);
      expect(status).toBe(200);
      const tickets = (order.tickets as TicketBody[]).map((ticket) => ({
        ...ticket,
        status: 'cancelled',
        expires_in_ms: undefined,
      }));
      expect(body).toEqual({ ...order, status: 'cancelled', expires_in_ms: undefined, tickets });
      expect(await show(order)).toEqual(body);
      expect(await stage.counters(event)).toEqual(before);
    });

    it('is for its buyer, the organizer and an admin', async () => {
      const order = await place();
      expectProblem(await cancel(order, stranger), 404, 'order_not_found');
      expect(await show(order)).toMatchObject({ status: 'held' });
      for (const by of [buyer, organizer, admin()])
        expect((await cancel(await place(), by)).status).toBe(200);
    });

    it('refuses what is paid, cancelled or due', async () => {
      const [paid, cancelled, due] = [await place(), await place(), await place()];
      await buyer.client.post(`/orders/${paid.code}/payments`, {});
      await cancel(cancelled);
      await stage.fallDue(due.code);
      for (const [order, status] of [
        [paid, 'paid'],
        [cancelled, 'cancelled'],
        [due, 'expired'],
      ] as const) {
        const refused = await cancel(order);
        expectProblem(refused, 409, 'order_not_cancellable');
        expect(refused.body.order_status).toBe(status);
      }
    });

    it('answers a key again byte for byte, whatever its ticket type is called since', async () => {
      const order = await place();
      const key = { 'Idempotency-Key': `cancel-${order.code}` };
      const first = await cancel(order, buyer, key);
      expect(first.status).toBe(200);
      const rename = (name: string) =>
        api.sql('UPDATE ticket_types SET name = $2 WHERE id = $1', [type, name]);
      const { name } = order.items[0];
      await rename('Renamed since');
      const second = await cancel(order, buyer, key);
      await rename(name);
      expect(exact(second)).toEqual(exact(first));
      expect([isReplay(first), isReplay(second)]).toEqual([false, true]);
      expect((await show(order)).status).toBe('cancelled');
    });

    it('cancels or sells, never both, where both are asked for at once', async () => {
      for (let i = 0; i < 10; i++) {
        const order = await place();
        const answers = await Promise.all([
          cancel(order),
          other.client.post(`/orders/${order.code}/payments`, {}),
        ]);
        expect(answers.map(({ status }) => status < 300).sort()).toEqual([false, true]);
      }
    });
  });

  describe('POST /orders/{code}/extend', () => {
    it('holds it for twice as long from its creation, once', async () => {
      const order = await place();
      const { status, body } = await extend(order);
      expect(status).toBe(200);
      expect(Date.parse(body.expires_at) - Date.parse(order.created_at)).toBe(240_000);
      expect(body.expires_in_ms).toBeGreaterThan(120_000);
      expect(body.expires_in_ms).toBeLessThanOrEqual(240_000);
      expect(body.tickets[0].expires_at).toBe(body.expires_at);
      expectProblem(await extend(order), 409, 'order_not_extendable');
      expect(await show(order)).toMatchObject({ expires_at: body.expires_at, status: 'held' });
      expect((await buyer.client.post(`/orders/${order.code}/payments`, {})).status).toBe(201);
    });

    it('is for its buyer, the organizer and an admin', async () => {
      expectProblem(await extend(await place(), stranger), 404, 'order_not_found');
      for (const by of [buyer, organizer, admin()])
        expect((await extend(await place(), by)).status).toBe(200);
    });

    it('refuses what has ended or is paid', async () => {
      const [paid, due] = [await place(), await place()];
      await buyer.client.post(`/orders/${paid.code}/payments`, {});
      await stage.fallDue(due.code);
      for (const [order, status] of [
        [paid, 'paid'],
        [due, 'expired'],
      ] as const) {
        const refused = await extend(order);
        expectProblem(refused, 409, 'order_not_extendable');
        expect(refused.body.order_status).toBe(status);
      }
    });

    it('tells who waited for the payment that the order is paid', async () => {
      const order = await place();
      const payment = await database.begin(
        `WITH paid AS (
          UPDATE orders SET status = 'paid', paid_at = now()
          WHERE id = (SELECT order_id FROM tickets WHERE tickets.id = $1) RETURNING event_id, places
        )
        UPDATE quotas SET held = held - places, sold = sold + places FROM paid WHERE quotas.event_id = paid.event_id`,
        [order.tickets[0].id],
      );
      const extending = extend(order);
      await database.untilBlocked().finally(() => payment.commit());
      const refused = await extending;
      expectProblem(refused, 409, 'order_not_extendable');
      const { paid_at } = await show(order);
      expect(refused.body).toMatchObject({ order_status: 'paid', paid_at });
    });

    it('refuses a hold that ends while it waits', async () => {
      const order = await place();
      await stage.fallDue(order.code);
      const id = (await api.sql('SELECT order_id FROM tickets WHERE id = $1', [order.tickets[0].id]))[0]
        .order_id;
      await api.sql(`UPDATE orders SET expires_at = now() + interval '300 ms' WHERE id = $1`, [id]);
      const lock = await database.begin('SELECT FROM orders WHERE id = $1 FOR UPDATE', [id]);
      const extending = extend(order);
      await database.untilBlocked().finally(() => sleep(400).then(() => lock.commit()));
      const refused = await extending;
      expectProblem(refused, 409, 'order_not_extendable');
      expect(refused.body.order_status).toBe('expired');
    });

    it('answers a key again byte for byte, though the order is paid since', async () => {
      const order = await place();
      const key = { 'Idempotency-Key': `extend-${order.code}` };
      const first = await extend(order, buyer, key);
      await buyer.client.post(`/orders/${order.code}/payments`, {});
      expect(await extend(order, buyer, key)).toMatchObject({ status: 200, body: first.body });
    });

    it('extends once, however many ask at once and from two processes', async () => {
      const order = await place();
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, i) =>
          (i % 2 ? api : other).client.post(`/orders/${order.code}/extend`),
        ),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(Date.parse((await show(order)).expires_at) - Date.parse(order.created_at)).toBe(240_000);
    });

    it('would extend again and again without its guard', async () => {
      const order = await place();
      const { text } = extendHold({ isFirst: 'true', isLive: 'true' });
      const [{ id }] = await api.sql(`SELECT order_id AS id FROM tickets WHERE id = $1`, [
        order.tickets[0].id,
      ]);
      for (let i = 0; i < 2; i++) await api.sql(text, [id, null, null, false]);
      expect(Date.parse((await show(order)).expires_at) - Date.parse(order.created_at)).toBe(480_000);
      await cancel(order);
    });

    it('is not undone by a release that looked before it', async () => {
      const small = await stage.event(organizer, { total_tickets: 1 });
      const items = [{ ticket_type_id: await stage.type(small), quantity: 1 }];
      const { body: order } = await buyer.client.post('/orders', { event_id: small.id, items });
      const [{ id }] = await api.sql('SELECT order_id AS id FROM tickets WHERE id = $1', [
        order.tickets[0].id,
      ]);
      // It falls due while another transaction extends it: the one that releases finds it due, and waits for the lock.
      await stage.fallDue(order.code);
      const extending = api.sql(
        `DO $$ BEGIN
          UPDATE orders SET expires_at = now() + interval '1 minute', is_extended = true WHERE id = ${Number(id)};
          PERFORM pg_sleep(0.5);
        END $$`,
      );
      await sleep(200);
      const [refused] = await Promise.all([
        stranger.client.post('/orders', { event_id: small.id, items }),
        extending,
      ]);
      expectProblem(refused, 409, 'event_sold_out');
      expect(await show(order)).toMatchObject({ status: 'held' });
    });
  });
});
