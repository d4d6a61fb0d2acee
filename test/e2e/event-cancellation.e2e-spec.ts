import { EventClosingService } from '../../src/inventory/event-closing.service';
import { startTestApi, type TestApi } from '../support/api';
import { UNKNOWN } from '../support/bookings';
import { eventually } from '../support/eventually';
import { eventBody } from '../support/factories';
import { partyOf, stageBy, type Party, type TicketBody } from '../support/orders';
import { expectProblem } from '../support/problems';
import { INVENTORY_MISMATCHES } from '../support/seats';

describe('an event', () => {
  let api: TestApi;
  let organizer: Party;
  let buyer: Party;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    [organizer, buyer] = [await partyOf(api), await partyOf(api)];
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(() => api.stop());

  const stage = stageBy(() => api);
  const cancel = ({ id }: { id: number }, by: Party = organizer, headers = {}) =>
    by.client.post(`/events/${id}/cancel`, undefined, headers);
  const stateOf = async ({ id }: { id: number }) =>
    (await organizer.client.get(`/events/${id}/cancellation`)).body;
  const done = (event: { id: number }) =>
    eventually(async () => expect(await stateOf(event)).toMatchObject({ status: 'done' }));
  const place = async (event: { id: number }, ticket_type_id: number, body: object = {}, by = buyer) =>
    await by.client.post('/orders', {
      event_id: event.id,
      items: [{ ticket_type_id, quantity: 2 }],
      ...body,
    });
  const admin = () => ({ id: 0, client: api.client });

  describe('POST /events/{event_id}/cancel', () => {
    it('stops sales, ends holds and free orders, and says what is owed for the others', async () => {
      const event = await stage.event(organizer);
      const [free, priced] = [
        await stage.type(event, { capacity: 50 }),
        await stage.type(event, { price: 1_250 }),
      ];
      await stage.code(event, 'early', { percent: 10, typeIds: [free] });
      const held = (await place(event, free)).body;
      const due = (await place(event, free)).body;
      const paid = (await place(event, free, { code: 'early' })).body;
      const cash = (await place(event, priced)).body;
      await buyer.client.post(`/orders/${paid.code}/payments`, {});
      await organizer.client.post(`/orders/${cash.code}/payments`, { offline: true });
      await organizer.client.post(`/tickets/${paid.tickets[0].id}/void`);
      await stage.fallDue(due.code);
      const answer = await cancel(event);
      expect(answer).toMatchObject({
        status: 202,
        body: { status: 'running', refunds_total: 0, refunds_done: 0, refunds_failed: 0, amount_owed: 0 },
      });
      const statusOf = async ({ code }: { code: string }) =>
        (await buyer.client.get(`/orders/${code}`)).body.status;
      // At once, whatever becomes of the message.
      expect([await statusOf(held), await statusOf(due)]).toEqual(['cancelled', 'expired']);
      expectProblem(await place(event, free), 409, 'event_not_published');
      await done(event);
      expect([await statusOf(paid), await statusOf(cash)]).toEqual(['cancelled', 'paid']);
      expect(await stateOf(event)).toMatchObject({ amount_owed: 2_500 });
      expect(await stage.counters(event)).toEqual([
        { kind: 'code', held: 0, sold: 0, is_closed: true },
        { kind: 'event', held: 0, sold: 2, is_closed: true },
        { kind: 'type', held: 0, sold: 0, is_closed: true },
      ]);
      expect((await api.client.get(`/events/${event.id}`)).status).toBe(200);
    });

    it('gives the use of a code back once, with the last ticket that is void or with the event', async () => {
      const event = await stage.event(organizer);
      const priced = await stage.type(event, { price: 1_250 });
      await stage.code(event, 'gift', { percent: 100 });
      const order = async () => {
        const { body } = await place(event, priced, { code: 'gift' });
        await buyer.client.post(`/orders/${body.code}/payments`, {});
        return (body.tickets as TicketBody[]).map(({ id }) => id) as [number, number];
      };
      const voidIt = (id: number) => organizer.client.post(`/tickets/${id}/void`);
      const [, partly, ...before] = [await order(), await order(), await order()].flat();
      await Promise.all([partly as number, ...before].map(voidIt));
      const meanwhile = (await Promise.all([order(), order(), order()])).flat();
      expect(await stage.counters(event)).toMatchObject([{ kind: 'code', sold: 4 }, { kind: 'event' }]);
      await Promise.all([cancel(event), ...meanwhile.map(voidIt)]);
      await done(event);
      expect(await stage.counters(event)).toMatchObject([
        { kind: 'code', held: 0, sold: 0 },
        { kind: 'event', held: 0, sold: 0 },
      ]);
    });

    it('says the same again, and does nothing twice', async () => {
      const event = await stage.event(organizer);
      const priced = await stage.type(event, { price: 100 });
      const { body } = await place(event, priced);
      await organizer.client.post(`/orders/${body.code}/payments`, { offline: true });
      await Promise.all(Array.from({ length: 8 }, (_, i) => cancel(event, i % 2 ? organizer : admin())));
      await done(event);
      expect(await cancel(event)).toMatchObject({ status: 202, body: { status: 'done', amount_owed: 200 } });
      expect(await stateOf(event)).toMatchObject({ status: 'done', amount_owed: 200 });
    });

    it('is for the organizer and an admin', async () => {
      const event = await stage.event(organizer);
      expectProblem(await cancel(event, buyer), 403, 'forbidden');
      expectProblem(await cancel({ id: UNKNOWN }), 404, 'event_not_found');
      expectProblem(
        await organizer.client.get(`/events/${event.id}/cancellation`),
        404,
        'cancellation_not_found',
      );
      expect((await cancel(event, admin())).status).toBe(202);
      await done(event);
    });

    it.each([{}, { 'Idempotency-Key': 'a-draft' }])('shows no draft to strangers, with %j', async (key) => {
      const { body: draft } = await organizer.client.post('/events/', { ...eventBody(), status: 'draft' });
      expectProblem(await cancel(draft, buyer), 404, 'event_not_found');
      expectProblem(await buyer.client.get(`/events/${draft.id}/cancellation`), 404, 'event_not_found');
      expectProblem(await cancel(draft, organizer, key), 409, 'event_not_published');
      expectProblem(await buyer.client.get(`/events/${draft.id}`), 404, 'event_not_found');
      expect((await organizer.client.get(`/events/${draft.id}`)).body.status).toBe('draft');
    });

    it('answers a key again', async () => {
      const event = await stage.event(organizer);
      const key = { 'Idempotency-Key': `cancel-${event.id}` };
      const first = await cancel(event, organizer, key);
      await done(event);
      const second = await cancel(event, organizer, key);
      expect(second).toMatchObject({ status: 202, body: first.body });
      expect(second.headers.get('idempotent-replayed')).toBe('true');
    });

    it('keeps no 403 under a key', async () => {
      const event = await stage.event(organizer);
      const key = { 'Idempotency-Key': `cancel-${event.id}` };
      expectProblem(await cancel(event, buyer, key), 403, 'forbidden');
      await api.sql('UPDATE events SET organizer_id = $2 WHERE id = $1', [event.id, buyer.id]);
      const answer = await cancel(event, buyer, key);
      expect(answer.status).toBe(202);
      expect(answer.headers.get('idempotent-replayed')).toBeNull();
      expect((await cancel(event, buyer, key)).headers.get('idempotent-replayed')).toBe('true');
    });

    it('leaves no order behind while many buy, by two processes', async () => {
      const other = await startTestApi({
        DATABASE_URL: api.settings.DATABASE_URL ?? '',
        MAX_HOLDS_PER_USER_EVENT: '0',
      });
      try {
        const event = await stage.event(organizer, { total_tickets: 10_000 });
        const type = await stage.type(event);
        let isOver = false;
        let wasMadeAfter = false;
        const buy = async (by: TestApi) => {
          for (let n = 0; n < 500; n++) {
            const wasOver = isOver;
            const items = [{ ticket_type_id: type, quantity: 3 }];
            const { status, body } = await by.client.post('/orders', {
              user_id: buyer.id,
              event_id: event.id,
              items,
            });
            if (status !== 201) return;
            wasMadeAfter ||= wasOver;
            await by.client.post(`/orders/${body.code}/payments`, {});
          }
        };
        const buyers = Array.from({ length: 64 }, (_, i) => buy(i % 2 ? api : other));
        await eventually(async () => {
          const [{ n }] = await api.sql('SELECT count(*)::int AS n FROM orders WHERE event_id = $1', [
            event.id,
          ]);
          expect(n).toBeGreaterThan(64);
        }, 20_000);
        expect((await cancel(event)).status).toBe(202);
        isOver = true;
        await Promise.all(buyers);
        expect(wasMadeAfter).toBe(false);
        await done(event);
        expect(await api.sql('SELECT DISTINCT status FROM orders WHERE event_id = $1', [event.id])).toEqual([
          { status: 'cancelled' },
        ]);
        expect(await stage.counters(event)).toEqual([{ kind: 'event', held: 0, sold: 0, is_closed: true }]);
      } finally {
        await other.stop();
      }
    });

    it('goes on where a process that was killed left off', async () => {
      const event = await stage.event(organizer);
      const { body } = await place(event, await stage.type(event));
      await buyer.client.post(`/orders/${body.code}/payments`, {});
      const closing = api.app.get(EventClosingService, { strict: false });
      await closing.close(event.id, { by: 'anyone' });
      await done(event);
      expect((await buyer.client.get(`/orders/${body.code}`)).body.status).toBe('cancelled');
    });

    it('is stuck where nothing happens for long', async () => {
      const event = await stage.event(organizer);
      await api.sql(
        `INSERT INTO event_cancellations (event_id, progressed_at) VALUES ($1, now() - interval '11 minutes')`,
        [event.id],
      );
      expect(await stateOf(event)).toMatchObject({ status: 'stuck' });
    });
  });

  describe('GET /events/{event_id}/summary', () => {
    it('sums up tickets, money and sales', async () => {
      const event = await stage.event(organizer);
      const [free, priced] = [
        await stage.type(event, { name: 'Free' }),
        await stage.type(event, { price: 1_250 }),
      ];
      const [held, cash, gone] = [
        (await place(event, free)).body,
        (await place(event, priced)).body,
        (await place(event, free)).body,
      ];
      await organizer.client.post(`/orders/${cash.code}/payments`, { offline: true });
      await organizer.client.post(`/tickets/${cash.tickets[0].id}/void`);
      await buyer.client.post(`/orders/${gone.code}/cancel`);
      expect(held.status).toBe('held');
      const { status, body } = await organizer.client.get(`/events/${event.id}/summary`);
      expect(status).toBe(200);
      const none = { reserved: 0, paid: 0, expired: 0, cancelled: 0, refunded: 0, void: 0, blocked: 0 };
      expect(body).toMatchObject({
        tickets: [
          { ...none, ticket_type_id: free, name: 'Free', reserved: 2, cancelled: 2 },
          { ...none, ticket_type_id: priced, name: 'Stalls', paid: 1, void: 1 },
        ],
        currency: 'EUR',
        amount_paid: 2_500,
        amount_refunded: 0,
        amount_owed: 0,
        sales: [{ date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), orders: 1, tickets: 2, amount: 2_500 }],
      });
    });

    it.each([
      // PostgreSQL would take the first for an hour that knows no summer, and knows no such zone as the second.
      ['CET', '2026-07-01T22:30:00Z', '2026-07-02'],
      ['AET', '2026-07-01T14:00:00Z', '2026-07-02'],
      ['Asia/Kathmandu', '2026-07-01T18:14:59.999Z', '2026-07-01'],
      ['Asia/Kathmandu', '2026-07-01T18:15:00Z', '2026-07-02'],
    ])('counts days as they are in %s, at %s', async (timezone, paidAt, date) => {
      const event = await stage.event(organizer);
      const order = (await place(event, await stage.type(event, { name: 'Free' }))).body;
      await buyer.client.post(`/orders/${order.code}/payments`, {});
      await api.sql('UPDATE events SET timezone = $2 WHERE id = $1', [event.id, timezone]);
      await api.sql('UPDATE orders SET paid_at = $2 WHERE event_id = $1', [event.id, paidAt]);
      const { status, body } = await organizer.client.get(`/events/${event.id}/summary`);
      expect([status, body.sales]).toEqual([200, [expect.objectContaining({ date, orders: 1 })]]);
    });

    it('is for the organizer and an admin, and empty where nothing was sold', async () => {
      const event = await stage.event(organizer);
      const path = `/events/${event.id}/summary`;
      expectProblem(await buyer.client.get(path), 403, 'forbidden');
      expectProblem(await organizer.client.get(`/events/${UNKNOWN}/summary`), 404, 'event_not_found');
      expect((await api.client.get(path)).body).toMatchObject({ tickets: [], amount_paid: 0, sales: [] });
    });
  });
});
