import type { OrderCodes } from '../../../src/inventory/order-codes';
import type { PostgresServer } from '../system/postgres';

/** What two sets of books say, and where they differ. */
export interface Books {
  charges: number;
  refunds: number;
  /** In words; empty when all is well. */
  differences: string[];
}

/** Each finds what must not be; `what` tells it in words. The sandbox's books are in the same database, for this alone. */
const DIFFERENCES: { what: string; sql: string }[] = [
  {
    what: 'a charge that is no payment of ours',
    sql: `SELECT charge.id, charge.metadata, charge.status FROM charge
      LEFT JOIN payments ON payments.id = charge.payment_id AND payments.provider_payment = charge.id
      WHERE charge.taken > 0 AND (payments.taken IS DISTINCT FROM charge.taken)`,
  },
  {
    what: 'a payment of ours that is no charge',
    sql: `SELECT payments.id, payments.order_id FROM payments LEFT JOIN charge ON charge.payment_id = payments.id AND charge.taken > 0
      WHERE payments.provider = 'sandbox' AND payments.status = 'succeeded' AND charge.id IS NULL`,
  },
  {
    what: 'money of an order that is neither for its tickets nor given back',
    sql: `SELECT orders.id, orders.status, orders.total, book.*, meant.amount AS meant FROM orders
      JOIN book ON book.order_id = orders.id
      LEFT JOIN LATERAL (
        SELECT coalesce(sum(amount), 0) AS amount FROM refunds
        WHERE order_id = orders.id AND cause IN ('organizer', 'event_cancelled') AND status = 'succeeded'
      ) AS meant ON true
      WHERE book.taken - book.given_back <>
        CASE WHEN orders.status IN ('paid', 'refunded') THEN orders.total - meant.amount ELSE 0 END`,
  },
  {
    what: 'an order whose sums are not what was charged and given back',
    sql: `SELECT orders.id, amount_paid, amount_refunded, book.* FROM orders JOIN book ON book.order_id = orders.id
      WHERE amount_paid <> book.taken OR amount_refunded <> book.given_back`,
  },
  {
    what: 'an order that is paid and was not charged',
    sql: `SELECT orders.id, orders.total FROM orders LEFT JOIN book ON book.order_id = orders.id
      WHERE orders.status = 'paid' AND orders.total > 0 AND book.order_id IS NULL
        AND NOT EXISTS (SELECT FROM payments WHERE order_id = orders.id AND provider = 'offline')`,
  },
  {
    what: 'an order that is paid twice',
    sql: `SELECT payments.order_id, count(*) AS charges FROM charge JOIN payments ON payments.id = charge.payment_id
      WHERE charge.taken > charge.refunded GROUP BY payments.order_id HAVING count(*) > 1`,
  },
  {
    what: 'a refund that was given twice',
    sql: `SELECT metadata ->> 'refund_id' AS refund, count(*) AS times, sum(amount) AS amount FROM sandbox.refunds
      WHERE status = 'succeeded' GROUP BY 1 HAVING count(*) > 1`,
  },
  {
    what: 'a refund that the two books do not agree on',
    sql: `SELECT refunds.id, refunds.status, refunds.amount, given.amount AS given FROM refunds
      FULL JOIN (
        SELECT (metadata ->> 'refund_id')::bigint AS id, amount FROM sandbox.refunds WHERE status = 'succeeded'
      ) AS given USING (id)
      WHERE (refunds.status = 'succeeded') IS DISTINCT FROM (given.id IS NOT NULL) OR refunds.amount <> given.amount`,
  },
];

const BOOKS = `WITH charge AS (
    SELECT id, status, (metadata ->> 'payment_id')::bigint AS payment_id, metadata, refunded,
      CASE status WHEN 'succeeded' THEN taken ELSE 0 END AS taken
    FROM sandbox.payments
  ), book AS (
    SELECT payments.order_id, sum(charge.taken) AS taken, sum(charge.refunded) AS given_back
    FROM charge JOIN payments ON payments.id = charge.payment_id WHERE charge.taken > 0 GROUP BY payments.order_id
  )`;

/**
 * Holds our books against the sandbox's.
 *
 * @param told codes of orders that an answer called paid
 */
export async function compareBooks(
  postgres: PostgresServer,
  told: ReadonlySet<string>,
  codes: OrderCodes,
): Promise<Books> {
  const [totals] = await postgres.sql<{ charges: number; refunds: number }>(
    `SELECT (SELECT count(*)::int FROM sandbox.payments WHERE status = 'succeeded') AS charges,
      (SELECT count(*)::int FROM sandbox.refunds WHERE status = 'succeeded') AS refunds`,
  );
  const differences: string[] = [];
  for (const { what, sql } of DIFFERENCES) {
    const rows = await postgres.sql(`${BOOKS} ${sql}`);
    differences.push(...rows.map((row) => `${what}: ${JSON.stringify(row)}`));
  }
  const ids = [...told].map((code) => codes.idOf(code) ?? 0);
  const lost = await postgres.sql<{ id: string; status: string }>(
    `SELECT id, status FROM orders WHERE id = ANY ($1) AND status NOT IN ('paid', 'refunded')`,
    [ids],
  );
  differences.push(...lost.map((row) => `an order that was called paid: ${JSON.stringify(row)}`));
  return { charges: totals?.charges ?? 0, refunds: totals?.refunds ?? 0, differences };
}

/** What is still under way, by kind; all 0 when nothing is. */
export async function openMoney(postgres: PostgresServer): Promise<Record<string, number>> {
  const [open] = await postgres.sql<Record<string, number>>(
    `SELECT
      (SELECT count(*)::int FROM payments WHERE status IN ('requires_action', 'processing')) AS payments,
      (SELECT count(*)::int FROM refunds WHERE status = 'pending') AS refunds,
      (SELECT count(*)::int FROM outbox WHERE NOT is_dead) AS messages,
      (SELECT count(*)::int FROM sandbox.events) AS events,
      (SELECT count(*)::int FROM sandbox.payments WHERE succeeds_at IS NOT NULL) AS awaited`,
  );
  return open ?? {};
}

export async function failedRefunds(postgres: PostgresServer): Promise<number[]> {
  const rows = await postgres.sql<{ id: string }>(`SELECT id FROM refunds WHERE status = 'failed'`);
  return rows.map(({ id }) => Number(id));
}
