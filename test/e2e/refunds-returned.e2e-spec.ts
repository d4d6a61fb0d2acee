import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OrderRefunds } from '../../src/inventory/order-refunds.service';
import { Reconciliation } from '../../src/payments/reconciliation';
import { RefundSending } from '../../src/payments/refund-sending';
import { TillWatch } from '../../src/payments/till-watch.service';
import { startTestApi, type TestApi } from '../support/api';
import { doctorOf } from '../support/doctor';
import { eventually } from '../support/eventually';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { MONEY_MISMATCHES, openTill, type Till } from '../support/till';

/** What notes that the refund 17 was paid back outside. */
const NOTE = /```sql\n(-- Only once the money is back by another way\.\n[^`]+)```/.exec(
  readFileSync(join(__dirname, '../../docs/OPERATIONS.md'), 'utf8'),
)?.[1] as string;

describe('a refund that came back', () => {
  let api: TestApi;
  let till: Till;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    till = await openTill(api);
  });
  afterEach(async () => {
    expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]);
    expect(await api.sql(MONEY_MISMATCHES)).toEqual([]);
    expect(await api.app.get(TillWatch, { strict: false }).look()).toMatchObject({ differences: 0 });
  });
  afterAll(() => api.stop());

  const { findings } = doctorOf(() => ({ url: api.settings.DATABASE_URL ?? '' }) as never);
  const refund = async ({ code }: { code: string }, body: object = {}) =>
    (await till.organizer.client.post(`/orders/${code}/refunds`, body)).body as { id: number };
  const retry = (id: number) => till.organizer.client.post(`/refunds/${id}/retry`);
  const until = (order: { code: string }, fields: object) =>
    eventually(async () => expect(await till.refunds(order)).toMatchObject([fields]));
  /** An order whose money was given back. */
  const refunded = async (method = 'ok') => {
    const order = await till.place();
    await till.pay(order, method);
    const { id } = await refund(order);
    await until(order, { status: 'succeeded' });
    return { ...order, id };
  };
  const entries = async (id: number) =>
    await api.sql<{ kind: string; amount: number }>(
      'SELECT kind, amount::int FROM ledger WHERE refund_id = $1 ORDER BY id',
      [id],
    );
  /** Of the refund, as the provider has it. */
  const atProvider = async (id: number) =>
    await api.sql<{ id: string; key: string; payment: string; status: string }>(
      `SELECT id, idempotency_key AS key, payment, status FROM sandbox.refunds WHERE metadata ->> 'refund_id' = $1 ORDER BY number`,
      [String(id)],
    );
  /** The bank sends the money back, and the event of it is lost. */
  const comeBack = async (id: number) => {
    await api.sql(
      `WITH returned AS (
        UPDATE sandbox.refunds SET status = 'failed', failure_code = 'account_closed' WHERE metadata ->> 'refund_id' = $1
        RETURNING payment, amount
      ) UPDATE sandbox.payments SET refunded = refunded - returned.amount FROM returned WHERE payments.id = returned.payment`,
      [String(id)],
    );
    return (await atProvider(id))[0] as { id: string; payment: string };
  };
  /** As a minute later. */
  const walk = async () => {
    await api.sql(`UPDATE reconciliations SET walked_at = now() - interval '1 hour'`);
    await api.app.get(Reconciliation, { strict: false }).walk(() => false);
  };
  const settle = (id: number, attempt: number, news: Parameters<OrderRefunds['settle']>[2]) =>
    api.app.get(OrderRefunds, { strict: false }).settle(id, attempt, news);

  it('is taken out of the sums, and given back by a retry', async () => {
    const order = await refunded('refund_returns');
    expect(await till.show(order)).toMatchObject({ amount_refunded: 2_500 });
    await until(order, { status: 'failed', failure_code: 'account_closed' });
    const { status, amount_paid, amount_refunded, tickets } = await till.show(order);
    // Its places are gone, and stay so.
    expect([status, ...tickets.map((ticket) => ticket.status)]).toEqual(['refunded', 'refunded', 'refunded']);
    expect({ amount_paid, amount_refunded }).toEqual({ amount_paid: 2_500, amount_refunded: 0 });
    expect((await findings()).money).toMatchObject({
      message: `1 refund failed, the first is ${order.id}`,
    });

    expect(await retry(order.id)).toMatchObject({ status: 200, body: { status: 'pending' } });
    expect(await till.untilRefunded(order)).toMatchObject({ amount_refunded: 2_500 });
    expect(await entries(order.id)).toEqual([
      { kind: 'refund', amount: -2_500 },
      { kind: 'refund_failed', amount: 2_500 },
      { kind: 'refund', amount: -2_500 },
    ]);
    const tries = await atProvider(order.id);
    expect(tries.map((one) => one.status)).toEqual(['failed', 'succeeded']);
    expect(new Set(tries.map(({ key }) => key)).size).toBe(2);
    expect((await findings()).money).toMatchObject({ status: 'ok' });
  });

  it('is asked about after a day, and no more after a month', async () => {
    const order = await refunded();
    await comeBack(order.id);
    await walk();
    expect(await till.refunds(order)).toMatchObject([{ status: 'succeeded' }]);
    await api.sql(`UPDATE refunds SET ask_at = now(), closed_at = now() - interval '2 days' WHERE id = $1`, [
      order.id,
    ]);
    await walk();
    expect(await till.refunds(order)).toMatchObject([{ status: 'failed', failure_code: 'account_closed' }]);
    await retry(order.id);
    await till.untilRefunded(order);
    const next = async (age: string) => {
      await api.sql(`UPDATE refunds SET ask_at = now(), closed_at = now() - $2::interval WHERE id = $1`, [
        order.id,
        age,
      ]);
      await walk();
      return await api.sql(
        `SELECT round(extract(epoch FROM ask_at - now()) / 86400)::int AS days FROM refunds WHERE id = $1`,
        [order.id],
      );
    };
    expect([await next('8 days'), await next('32 days')]).toEqual([[{ days: 8 }], [{ days: null }]]);
  });

  it('is not believed to have succeeded where an answer of before comes late', async () => {
    const order = await refunded();
    const { id, payment } = await comeBack(order.id);
    await api.app.get(RefundSending, { strict: false }).askAll(payment);
    await until(order, { status: 'failed' });
    const late = { id, status: 'succeeded' as const };
    expect(await settle(order.id, 1, late)).toEqual({ status: 'failed', isNew: false });
    await retry(order.id);
    expect((await settle(order.id, 2, late))?.isNew).toBe(false);
    await till.untilRefunded(order);
    expect(await entries(order.id)).toHaveLength(3);
  });

  it.each([
    ['came back', 'refund_returns'],
    ['failed at once', 'refund_fails'],
  ])('or that %s may be paid back outside, which no word of the provider undoes', async (_how, method) => {
    const order = await till.place();
    await till.pay(order, method);
    const { id } = await refund(order);
    await until(order, { status: 'failed' });
    const { payment } = (await atProvider(id))[0] as { payment: string };
    await api.sql(NOTE.replace('17', String(id)));
    await api.app.get(RefundSending, { strict: false }).askAll(payment);
    expect(await till.refunds(order)).toMatchObject([{ status: 'succeeded' }]);
    expect(await till.show(order)).toMatchObject({ amount_refunded: 2_500 });
  });

  it('is that refund at the provider alone: a refusal undoes nothing', async () => {
    const order = await refunded();
    for (const news of [{}, { id: 're_another' }])
      expect(await settle(order.id, 1, { ...news, status: 'failed', failureCode: 'refused' })).toEqual({
        status: 'succeeded',
        isNew: false,
      });
    expect(await till.refunds(order)).not.toMatchObject([{ failure_code: expect.any(String) }]);
    expect(await till.show(order)).toMatchObject({ amount_refunded: 2_500 });
  });
});
