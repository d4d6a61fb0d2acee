import { Statements } from '../../src/database/statements';
import { Transactions } from '../../src/database/transactions';
import { RELEASE_GUARDS, releaseDueHolds } from '../../src/inventory/release-due-holds.statements';
import { SETTLE_PAYMENTS_GUARDS, settlePayments } from '../../src/inventory/settle-payments.statement';
import type { TestApi } from './api';
import { eventually } from './eventually';
import type { OrderBody } from './orders';
import type { Till } from './till';

const KEPT = `
  SELECT orders.status, amount_paid AS "amountPaid", (SELECT count(*)::int FROM refunds WHERE order_id = orders.id) AS refunds
  FROM payments JOIN orders ON orders.id = order_id WHERE payments.id = $1`;

export interface BegunOrder extends OrderBody {
  payment: { id: number };
}

type Guards = Partial<typeof SETTLE_PAYMENTS_GUARDS>;

/** Payments that wait for their buyers, and what their provider says of them when the test wants it. */
export function untoldMoney(api: () => TestApi) {
  const run = (text: string, values: unknown[]) =>
    api().app.get(Statements, { strict: false }).run({ text }, values);

  /** An order whose payment waits for the buyer. */
  const begun = async (at: Till, quantity = 2): Promise<BegunOrder> => {
    const order = await at.place(quantity);
    const { body: payment } = await at.pay(order, 'requires_action');
    return { ...order, payment: payment as BegunOrder['payment'] };
  };

  /** What the provider says: the buyer has paid. */
  const said = async ({ payment }: BegunOrder, amount = 2_500, currency = 'EUR', word = 'succeeded') => {
    const [row] = await api().sql<{ payment_id: number; order_id: number; provider_payment: string }>(
      'SELECT id AS payment_id, order_id, provider, provider_payment FROM payments WHERE id = $1',
      [payment.id],
    );
    if (!row) throw new Error('There is no such payment');
    return { ...row, word, amount, currency };
  };
  const settle = async (news: object, guards: Guards = {}) => {
    const { text } = settlePayments({ ...SETTLE_PAYMENTS_GUARDS, ...guards });
    const values = [JSON.stringify([{ n: 1, ...news }]), [], 1_000];
    return await run(text, values);
  };
  /** What would become of an order without a guard: nothing of it stays. */
  const settleWithout = async (order: BegunOrder, news: object, guards: Guards) => {
    const undo = new Error('undone');
    let found: object | undefined;
    const attempt = api()
      .app.get(Transactions, { strict: false })
      .run(async () => {
        await settle(news, guards);
        [found] = await run(KEPT, [order.payment.id]);
        throw undo;
      });
    await expect(attempt).rejects.toBe(undo);
    return found;
  };
  const release = (guards = RELEASE_GUARDS) =>
    run(releaseDueHolds(guards).text, [1_000, '-infinity', [], 1_000]);
  /** Lets a hold have ended so long ago. */
  const end = async ({ code }: { code: string }, seconds: number) => {
    await api().sql('UPDATE payments SET ask_at = NULL');
    const { tickets } = (await api().client.get(`/orders/${code}`)).body;
    await api().sql(
      `UPDATE orders SET created_at = created_at - interval '1 hour', expires_at = now() - make_interval(secs => $2)
      WHERE id = (SELECT order_id FROM tickets WHERE id = $1)`,
      [tickets[0].id, seconds],
    );
  };
  /** Ends a hold with its payment left open, as where the provider was away. */
  const expire = async (order: { code: string }) => {
    await end(order, 56);
    await eventually(async () => {
      // What the sweeper has locked is left out.
      await release();
      expect((await api().client.get(`/orders/${order.code}`)).body).toMatchObject({ status: 'expired' });
    });
  };

  /** A control: money that would be kept for nothing, or for what it may not buy. */
  const expectKept = async (order: BegunOrder, news: object, guards: Guards, amountPaid = 2_500) =>
    expect(await settleWithout(order, news, guards)).toEqual({ status: 'paid', amountPaid, refunds: 0 });

  return { begun, said, settle, expectKept, release, end, expire };
}
