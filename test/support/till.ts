import type { TestApi } from './api';
import type { Answer } from './client';
import { eventually } from './eventually';
import { partyOf, stageBy, type OrderBody, type Party } from './orders';

/** Nothing may be lost between what the sandbox took, what the ledger says and what orders and tickets are. */
export const MONEY_MISMATCHES = `
  WITH money AS (
    SELECT orders.id, orders.status, amount_paid, amount_refunded, is_paying,
      (SELECT coalesce(sum(amount), 0) FROM ledger WHERE order_id = orders.id AND kind = 'charge') AS charged,
      (SELECT coalesce(-sum(amount), 0) FROM ledger WHERE order_id = orders.id AND kind IN ('refund', 'refund_failed')) AS returned,
      (SELECT coalesce(sum(taken), 0) FROM payments WHERE order_id = orders.id AND provider <> 'none') AS taken,
      (SELECT coalesce(sum(giving_back), 0) FROM payments WHERE order_id = orders.id) AS giving_back,
      (SELECT coalesce(sum(amount), 0) FROM refunds WHERE order_id = orders.id) AS refunds,
      (SELECT count(*) FROM payments WHERE order_id = orders.id AND status IN ('requires_action', 'processing')) AS open,
      (SELECT count(*) FROM payments WHERE order_id = orders.id AND taken > giving_back) AS kept
    FROM orders
  )
  SELECT * FROM money
  WHERE amount_paid <> charged OR amount_refunded <> returned OR taken <> charged OR giving_back <> refunds
    OR is_paying <> (open > 0) OR kept > 1 OR kept = 1 AND status NOT IN ('paid', 'refunded')`;

export interface Till {
  organizer: Party;
  buyer: Party;
  event: { id: number };
  /** Of a ticket of 12,50 €. */
  priced: number;
  place(quantity?: number, body?: object): Promise<OrderBody>;
  pay(order: { code: string }, method?: string, headers?: Record<string, string>): Promise<Answer>;
  show(order: { code: string }): Promise<OrderBody>;
  refunds(order: { code: string }): Promise<Record<string, any>[]>;
  payments(order: { code: string }): Promise<Record<string, any>[]>;
  /** Waits until the order is in a state. */
  until(order: { code: string }, status: string): Promise<OrderBody>;
  /** Waits until all that is to be given back is given back. */
  untilRefunded(order: { code: string }): Promise<OrderBody>;
  fallDue(order: { code: string }): Promise<void>;
  /** The buyer disputes so much of the order's payment. */
  dispute(order: { code: string }, amount: number): Promise<Answer>;
  /** The bank decides about the order's payment, which is disputed. */
  endDispute(order: { code: string }, how: 'win' | 'lose'): Promise<void>;
}

/** An event with a price, and people who pay it. */
export async function openTill(api: TestApi, fields: object = {}): Promise<Till> {
  const stage = stageBy(() => api);
  const [organizer, buyer] = [await partyOf(api), await partyOf(api)];
  const event = await stage.event(organizer, { total_tickets: 1_000, ...fields });
  const priced = await stage.type(event, { price: 1_250 });
  const show = async ({ code }: { code: string }) =>
    (await buyer.client.get<OrderBody>(`/orders/${code}`)).body;
  const till: Till = {
    organizer,
    buyer,
    event,
    priced,
    place: async (quantity = 2, body = {}) => {
      const wanted = { event_id: event.id, items: [{ ticket_type_id: priced, quantity }], ...body };
      return (await buyer.client.post<OrderBody>('/orders', wanted)).body;
    },
    pay: ({ code }, payment_method = 'ok', headers = {}) =>
      buyer.client.post(`/orders/${code}/payments`, { payment_method }, headers),
    show,
    refunds: async ({ code }) => (await buyer.client.get(`/orders/${code}/refunds`)).body,
    payments: async ({ code }) => (await buyer.client.get(`/orders/${code}/payments`)).body,
    until: async (order, status) => {
      await eventually(async () => expect(await show(order)).toMatchObject({ status }));
      return await show(order);
    },
    untilRefunded: async (order) => {
      await eventually(async () => {
        const { amount_paid, amount_refunded } = await show(order);
        expect(amount_paid).toBeGreaterThan(0);
        expect(amount_refunded).toBe(amount_paid);
      });
      return await show(order);
    },
    fallDue: async ({ code }) => {
      await stage.fallDue(code);
      await api.sql('UPDATE payments SET ask_at = now() WHERE ask_at IS NOT NULL');
    },
    dispute: async ({ code }, amount) => {
      const [row] = await api.sql<{ id: string }>(
        `SELECT id FROM sandbox.payments WHERE metadata ->> 'order_code' = $1`,
        [code],
      );
      return await api.client.post(`/sandbox/payments/${row?.id}/dispute`, { amount });
    },
    endDispute: async ({ code }, how) => {
      const [row] = await api.sql<{ dispute_id: string }>(
        `SELECT dispute_id FROM sandbox.payments WHERE metadata ->> 'order_code' = $1`,
        [code],
      );
      await api.client.post(`/sandbox/disputes/${row?.dispute_id}/${how}`, {});
    },
  };
  return till;
}
