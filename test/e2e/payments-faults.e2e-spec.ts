import { DataSource } from 'typeorm';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { OrderCodes } from '../../src/inventory/order-codes';
import { PaymentOpening } from '../../src/inventory/payment-opening.service';
import { PaymentProvider } from '../../src/payments/payment-provider';
import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { expectProblem } from '../support/problems';
import { SANDBOX_SECRET, startSandbox, type TestSandbox } from '../support/sandbox';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { MONEY_MISMATCHES, openTill, type Till } from '../support/till';

const OPEN_TRANSACTIONS = `
  SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state ~ 'in transaction'`;

/** The provider is a server of the test's own, which can be stopped, and breaks as it is told. */
describe('a payment provider', () => {
  let database: TestDatabase;
  let api: TestApi;
  let sandbox: TestSandbox;
  let till: Till;
  let port: number;

  const start = () => startSandbox(database.url, `${api.client.url}/payments/events/sandbox`, port);

  beforeAll(async () => {
    database = await createDatabase();
    port = await freePort();
    api = await startTestApi({
      DATABASE_URL: database.url,
      MAX_HOLDS_PER_USER_EVENT: '0',
      SANDBOX_URL: `http://127.0.0.1:${port}/sandbox`,
      SANDBOX_SECRET,
    });
    sandbox = await start();
    till = await openTill(api);
  });
  beforeEach(() => sandbox.set({ fail_one_in: 0, delay_ms: 0, answers_garbage: false }));
  afterEach(async () => {
    expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]);
    expect(await api.sql(MONEY_MISMATCHES)).toEqual([]);
  });
  afterAll(async () => {
    // First what sends events: the API would wait for them.
    await sandbox.stop();
    await api.stop();
    await database.drop();
  });

  /** By its own books. */
  const taken = async ({ code }: { code: string }) =>
    (
      await api.sql<{ charges: number; kept: number }>(
        `SELECT count(*)::int AS charges, coalesce(sum(taken - refunded), 0)::int AS kept FROM sandbox.payments
        WHERE status = 'succeeded' AND metadata ->> 'order_code' = $1`,
        [code],
      )
    )[0];
  const cancelOrder = ({ code }: { code: string }) => till.buyer.client.post(`/orders/${code}/cancel`);

  it('that is away begins nothing, and keeps nobody from what needs none', async () => {
    await sandbox.stop();
    const order = await till.place();
    const refused = await till.pay(order);
    expectProblem(refused, 503, 'payment_provider_unavailable');
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(await till.payments(order)).toMatchObject([
      { status: 'failed', failure_code: 'provider_unavailable' },
    ]);
    expect((await cancelOrder(order)).status).toBe(200);
    const cash = await till.place();
    const offline = await till.organizer.client.post(`/orders/${cash.code}/payments`, { offline: true });
    expect(offline.status).toBe(201);
    sandbox = await start();
    const again = await till.place();
    expect(await till.pay(again)).toMatchObject({ status: 201, body: { status: 'succeeded' } });
  });

  it('that is away when an order is to end keeps it, until it is back', async () => {
    const order = await till.place();
    await till.pay(order, 'requires_action');
    await sandbox.stop();
    expectProblem(await cancelOrder(order), 409, 'payment_in_progress');
    expect(await till.show(order)).toMatchObject({ status: 'held' });
    sandbox = await start();
    expect((await cancelOrder(order)).status).toBe(200);
  });

  it('that takes long holds up no connection of the database', async () => {
    await sandbox.set({ delay_ms: 10_000 });
    const orders = await Promise.all(Array.from({ length: 20 }, () => till.place()));
    let answers = 0;
    const paying = orders.map(async (order) => {
      const { status } = await till.pay(order);
      answers++;
      return status;
    });
    // More than there are connections. All of them are with the provider by now, and bookings go on.
    await eventually(async () =>
      expect(await api.sql(`SELECT FROM payments WHERE status = 'processing'`)).toHaveLength(orders.length),
    );
    expect((await till.place()).status).toBe('held');
    expect(await database.sql(OPEN_TRANSACTIONS)).toEqual([]);
    expect(answers).toBe(0);
    expect(await Promise.all(paying)).toEqual(orders.map(() => 503));
  });

  it('would hold up all of them, were it called while a transaction is open', async () => {
    await sandbox.set({ delay_ms: 1_000 });
    // Past the turns that transactions take.
    const dataSource = api.app.get(DataSource, { strict: false });
    const provider = api.app.get(PaymentProvider, { strict: false });
    const calls = Array.from({ length: 10 }, () =>
      dataSource.transaction(async (manager) => {
        await manager.query('SELECT 1');
        await provider.get('pay_nowhere').catch(() => undefined);
      }),
    );
    const called = Promise.race(calls).then(() => 'called');
    await eventually(async () => expect(await database.sql(OPEN_TRANSACTIONS)).toHaveLength(calls.length));
    expect(await Promise.race([till.place().then(() => 'placed'), called])).toBe('called');
    await Promise.all(calls);
  });

  it('that fails one call in two loses no money, and takes none twice', async () => {
    await sandbox.set({ fail_one_in: 2 });
    const orders = await Promise.all(Array.from({ length: 10 }, () => till.place()));
    await Promise.all(orders.map((order) => till.pay(order)));
    await sandbox.set({ fail_one_in: 0 });
    for (const order of orders) {
      await eventually(async () => {
        const { status } = await till.show(order);
        if (status === 'held') await till.pay(order);
        expect(status).toBe('paid');
      });
      await eventually(async () => expect(await taken(order)).toMatchObject({ kept: 2_500 }));
    }
  });

  describe('of which a process was killed', () => {
    /** Between the row and the call, or between the call and its answer. */
    async function killed() {
      const order = await till.place();
      const id = api.app.get(OrderCodes, { strict: false }).idOf(order.code) ?? 0;
      const opening = api.app.get(PaymentOpening, { strict: false });
      const scope = { by: 'anyone' } as const;
      const begun = await opening.begin({ orderId: id, scope, provider: 'sandbox', method: 'ok' });
      return { ...order, payment: begun.id };
    }

    it('is asked once more by the buyer', async () => {
      const order = await killed();
      expect(await till.show(order)).toMatchObject({ status: 'held' });
      expect(await till.pay(order)).toMatchObject({
        status: 200,
        body: { id: order.payment, status: 'succeeded' },
      });
      expect(await taken(order)).toEqual({ charges: 1, kept: 2_500 });
    });

    it('is asked by the watch of open payments, by several processes at once', async () => {
      const order = await killed();
      await api.sql('UPDATE payments SET ask_at = now() WHERE id = $1', [order.payment]);
      await till.until(order, 'paid');
      expect(await taken(order)).toEqual({ charges: 1, kept: 2_500 });
    });
  });

  it('gives a refund once, however often the message of the outbox is delivered', async () => {
    const order = await till.place();
    await till.pay(order);
    const { body } = await till.organizer.client.post(`/orders/${order.code}/refunds`, {});
    await api.sql(
      `INSERT INTO outbox (topic, payload) SELECT 'refund.send', jsonb_build_object('refundId', $1::bigint) FROM generate_series(1, 20)`,
      [body.id],
    );
    await till.untilRefunded(order);
    await eventually(async () => expect(await api.sql('SELECT FROM outbox')).toEqual([]));
    expect(await taken(order)).toEqual({ charges: 1, kept: 0 });
    expect(await api.sql('SELECT FROM ledger WHERE refund_id = $1', [body.id])).toHaveLength(1);
  });

  it('that tells of a dispute while a refund is under way leaves both in order', async () => {
    const order = await till.place();
    await till.pay(order);
    const [row] = await api.sql<{ id: string }>(
      `SELECT id FROM sandbox.payments WHERE metadata ->> 'order_code' = $1`,
      [order.code],
    );
    const [refund] = await Promise.all([
      till.organizer.client.post(`/orders/${order.code}/refunds`, {}),
      sandbox.client.post(`/payments/${row?.id}/dispute`),
    ]);
    if (refund.status !== 201) {
      expectProblem(refund, 409, 'refund_exceeds_payment');
      return;
    }
    const settled = await eventually(async () => {
      const [first] = await till.refunds(order);
      expect(first?.status).not.toBe('pending');
      return first;
    });
    if (settled?.status === 'succeeded') return;
    expect(settled).toMatchObject({ status: 'failed', failure_code: 'payment_disputed' });
    const [dispute] = await api.sql<{ dispute_id: string }>(
      'SELECT dispute_id FROM sandbox.payments WHERE id = $1',
      [row?.id],
    );
    await sandbox.client.post(`/disputes/${dispute?.dispute_id}/win`);
    expect((await till.organizer.client.post(`/refunds/${settled?.id}/retry`)).status).toBe(200);
    await till.untilRefunded(order);
  });

  it('that takes money while its event is cancelled gives all of it back', async () => {
    const cancelled = await openTill(api);
    const orders = await Promise.all(Array.from({ length: 12 }, () => cancelled.place()));
    await Promise.all([
      ...orders.map((order, i) => cancelled.pay(order, i % 3 === 0 ? 'slow' : 'ok')),
      cancelled.organizer.client.post(`/events/${cancelled.event.id}/cancel`),
    ]);
    for (const order of orders)
      await eventually(async () => {
        expect(await taken(order)).toMatchObject({ kept: 0 });
        const { amount_paid, amount_refunded } = await cancelled.show(order);
        expect(amount_paid).toBe(amount_refunded);
      }, 20_000);
    await eventually(async () => {
      const open = `SELECT FROM payments WHERE status IN ('requires_action', 'processing') AND event_id = $1`;
      expect(await api.sql(open, [cancelled.event.id])).toEqual([]);
    }, 30_000);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
