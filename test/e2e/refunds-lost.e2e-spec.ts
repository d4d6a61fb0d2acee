import { OrderRefunds } from '../../src/inventory/order-refunds.service';
import { RefundSending } from '../../src/payments/refund-sending';
import { startTestApi, type TestApi } from '../support/api';
import { eventually } from '../support/eventually';
import { MONEY_MISMATCHES, openTill, type Till } from '../support/till';

describe('a refund whose answer is lost', () => {
  let api: TestApi;
  let till: Till;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    till = await openTill(api);
  });
  afterEach(async () => {
    await switches({ answers_garbage: false });
    expect(await api.sql(MONEY_MISMATCHES)).toEqual([]);
  });
  afterAll(() => api.stop());

  const switches = (body: object) => api.client.post('/sandbox/switches', body);
  const refund = async ({ code }: { code: string }, amount: number) =>
    (await till.organizer.client.post(`/orders/${code}/refunds`, { amount })).body as { id: number };
  const bought = async () => {
    const order = await till.place();
    await till.pay(order);
    return order;
  };
  /** Of a refund, as the provider has it. */
  const atProvider = (id: number) =>
    api.sql<{ id: string; payment: string; status: string }>(
      `SELECT id, payment, status FROM sandbox.refunds WHERE metadata ->> 'refund_id' = $1 ORDER BY number`,
      [String(id)],
    );
  /** The provider gave the money back, told nobody, and has forgotten under which key. */
  async function lost(order: { code: string }, amount: number) {
    await switches({ answers_garbage: true });
    const { id } = await refund(order, amount);
    await eventually(async () => expect(await atProvider(id)).toHaveLength(1));
    await eventually(async () =>
      expect(
        await api.sql(`SELECT FROM outbox WHERE topic = 'refund.send' AND due_at > now() AND attempts > 0`),
      ).not.toEqual([]),
    );
    await api.sql('DELETE FROM sandbox.events');
    await api.sql(`UPDATE sandbox.refunds SET idempotency_key = 'forgotten-' || id`);
    await switches({ answers_garbage: false });
    return id;
  }

  it.each([
    ['again', 'attempts'],
    ['a day later for the first time', '0'],
  ])('is looked for before it is sent %s, as its key may be forgotten', async (_when, attempts) => {
    const order = await bought();
    const id = await lost(order, 400);
    await api.sql(`UPDATE refunds SET created_at = now() - interval '1 day' WHERE id = $1`, [id]);
    await api.sql(`UPDATE outbox SET due_at = now(), attempts = ${attempts}`);
    await eventually(async () => {
      await api.sql('UPDATE outbox SET due_at = now()');
      expect(await till.refunds(order)).toMatchObject([{ amount: 400, status: 'succeeded' }]);
    });
    expect(await atProvider(id)).toMatchObject([{ status: 'succeeded' }]);
  });

  it('may fail later, beside others of the same payment, and then be tried again', async () => {
    const order = await bought();
    const { id: other } = await refund(order, 300);
    await eventually(async () =>
      expect(await till.refunds(order)).toMatchObject([{ id: other, status: 'succeeded' }]),
    );
    const id = await lost(order, 400);
    await api.sql(`DELETE FROM outbox WHERE topic = 'refund.send'`);
    const [said] = await atProvider(id);
    const { id: providerRefund = '', payment = '' } = said ?? {};
    // What it said first, and how it ended.
    await api.app
      .get(OrderRefunds, { strict: false })
      .settle(id, 1, { id: providerRefund, status: 'pending' });
    await api.sql(
      `WITH failed AS (UPDATE sandbox.refunds SET status = 'failed', failure_code = 'bank_refused' WHERE id = $1)
      UPDATE sandbox.payments SET refunded = refunded - 400 WHERE id = $2`,
      [providerRefund, payment],
    );
    const sending = api.app.get(RefundSending, { strict: false });
    await sending.askAll(payment);
    expect((await till.refunds(order))[0]).toMatchObject({
      id,
      status: 'failed',
      failure_code: 'bank_refused',
    });
    expect((await till.organizer.client.post(`/refunds/${id}/retry`)).status).toBe(200);
    await eventually(async () =>
      expect((await till.refunds(order))[0]).toMatchObject({ status: 'succeeded' }),
    );
    // The failure of the first try, told again, is no news of the second.
    await sending.askAll(payment);
    expect((await till.refunds(order))[0]).toMatchObject({ status: 'succeeded' });
    expect((await atProvider(id)).map(({ status }) => status)).toEqual(['failed', 'succeeded']);
  });
});
