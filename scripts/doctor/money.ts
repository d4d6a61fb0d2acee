import type { DataSource, EntityManager } from 'typeorm';
import { OWED_REFUND } from '../../src/inventory/payment-states';
import type { SeatsOptions } from './count-places';
import { inRanges, lengthOf, STATEMENT_MS, type Span } from './ranges';
import { plural, type Finding } from './report';

/*
 * What orders say was paid and given back, what their payments and refunds say, and what the ledger says, are written in one
 * transaction each time. So any difference is a defect, or somebody's hand.
 */
const OF_ORDERS = `
  WITH asked AS MATERIALIZED (
    SELECT id, status, total, amount_paid, amount_refunded, is_paying FROM orders WHERE id BETWEEN $1 AND $2
  ), entry AS MATERIALIZED (
    SELECT order_id, coalesce(sum(amount) FILTER (WHERE kind = 'charge'), 0) AS charged,
      -coalesce(sum(amount) FILTER (WHERE kind IN ('refund', 'refund_failed')), 0) AS returned
    FROM ledger WHERE order_id BETWEEN $1 AND $2 GROUP BY order_id
  ), payment AS MATERIALIZED (
    SELECT order_id, coalesce(sum(taken), 0) AS taken, sum(giving_back) AS giving_back,
      bool_or(status IN ('requires_action', 'processing')) AS is_open
    FROM payments WHERE order_id BETWEEN $1 AND $2 GROUP BY order_id
  ), refund AS MATERIALIZED (
    SELECT order_id, sum(amount) AS amount, coalesce(sum(amount) FILTER (WHERE status = 'succeeded'), 0) AS returned,
      coalesce(sum(amount) FILTER (WHERE cause IN ('organizer', 'event_cancelled')), 0) AS asked_for
    FROM refunds WHERE order_id BETWEEN $1 AND $2 GROUP BY order_id
  ), book AS MATERIALIZED (
    SELECT asked.*, coalesce(charged, 0) AS charged, coalesce(entry.returned, 0) AS returned, coalesce(taken, 0) AS taken,
      coalesce(giving_back, 0) AS giving_back, coalesce(is_open, false) AS is_open, coalesce(refund.amount, 0) AS refunds,
      coalesce(refund.returned, 0) AS refunds_returned, coalesce(asked_for, 0) AS asked_for
    FROM asked LEFT JOIN entry ON entry.order_id = asked.id LEFT JOIN payment ON payment.order_id = asked.id
    LEFT JOIN refund ON refund.order_id = asked.id
  ), fault AS (
    SELECT 'paid says something else than the ledger' AS what, id FROM book WHERE amount_paid <> charged
    UNION ALL SELECT 'given back says something else than the ledger', id FROM book WHERE amount_refunded <> returned
    UNION ALL SELECT 'payments say something else than the ledger', id FROM book WHERE taken <> charged
    UNION ALL SELECT 'refunds say something else than the ledger', id FROM book WHERE refunds_returned <> returned
    UNION ALL SELECT 'payments say something else than the refunds', id FROM book WHERE giving_back <> refunds
    UNION ALL SELECT 'is marked as being paid and is not, or the other way round', id FROM book WHERE is_paying <> is_open
    UNION ALL SELECT 'keeps money and sells nothing for it', id FROM book
      WHERE status NOT IN ('paid', 'refunded') AND taken > giving_back
    UNION ALL SELECT 'keeps another sum than it costs', id FROM book
      WHERE status IN ('paid', 'refunded') AND taken - giving_back <> total - asked_for
  )
  SELECT what, count(*) AS number, min(id) AS first FROM fault GROUP BY what`;

const BESIDE_ORDERS = `
  SELECT 'entries of the ledger are of orders that are gone' AS what, count(*) AS number, min(order_id) AS first FROM ledger
  WHERE NOT EXISTS (SELECT FROM orders WHERE orders.id = order_id) HAVING count(*) > 0`;

/** What waits for somebody. */
const WAITING = `
  SELECT
    failed.number AS failed, failed.first AS "firstFailed",
    (SELECT count(*) FROM refunds WHERE status = 'pending' AND created_at < now() - interval '1 hour')::int AS pending,
    (SELECT count(*) FROM payments JOIN orders ON orders.id = order_id
      WHERE payments.status IN ('requires_action', 'processing') AND orders.expires_at < now() - interval '10 minutes')::int AS open,
    (SELECT count(*) FROM payments WHERE dispute = 'open')::int AS disputes
  FROM (
    SELECT count(*)::int AS number, min(refunds.id) AS first FROM refunds JOIN payments ON payments.id = payment_id WHERE ${OWED_REFUND}
  ) AS failed`;

interface Fault {
  what: string;
  number: number;
  /** The first order. */
  first: number;
}

interface Waiting {
  failed: number;
  firstFailed: number | null;
  pending: number;
  open: number;
  disputes: number;
}

/** Orders, payments, refunds and the ledger against each other. */
export async function checkMoney(database: DataSource, options: SeatsOptions): Promise<Finding> {
  const faults = await findFaults(database, options);
  if (faults.length > 0) {
    return {
      status: 'wrong',
      message: 'Orders, payments, refunds and the ledger do not agree',
      details: faults.map((fault) => ({
        ...fault,
        message: `${fault.what}: ${plural(fault.number, 'order')}, the first is ${fault.first}`,
      })),
      advice:
        'Money may be lost: see docs/OPERATIONS.md, "When the books do not agree". The ledger is append-only, and right before anything else.',
    };
  }
  const [waiting] = await database.query<[Waiting]>(WAITING);
  return findingOf(waiting);
}

async function findFaults(
  database: DataSource,
  { progress, stopped, statementMs = STATEMENT_MS }: SeatsOptions,
): Promise<Fault[]> {
  const faults = new Map<string, Fault>();
  const note = (found: Fault[]) => {
    for (const { what, number, first } of found) {
      const before = faults.get(what);
      faults.set(what, { what, number: number + (before?.number ?? 0), first: before?.first ?? first });
    }
  };
  // One snapshot sees one instant, so that what is under way never looks like a fault.
  await database.transaction('REPEATABLE READ', async (manager: EntityManager) => {
    await manager.query(`SET LOCAL statement_timeout = ${statementMs}`);
    const [span] = await manager.query<[Span]>('SELECT min(id) AS first, max(id) AS last FROM orders');
    await progress(lengthOf(span), async (add) => {
      const look = async (from: number, to: number) =>
        note(await manager.query<Fault[]>(OF_ORDERS, [from, to]));
      for await (const number of inRanges(manager, span, look)) {
        stopped.throwIfAborted();
        add(number);
      }
    });
    note(await manager.query<Fault[]>(BESIDE_ORDERS));
  });
  return [...faults.values()];
}

function findingOf({ failed, firstFailed, pending, open, disputes }: Waiting): Finding {
  const waits = [
    failed > 0 && `${plural(failed, 'refund')} failed, the first is ${firstFailed}`,
    pending > 0 && `${plural(pending, 'refund')} pending for over an hour`,
    open > 0 && `${plural(open, 'payment')} open though the hold ended ten minutes ago`,
    disputes > 0 && `${plural(disputes, 'dispute')} open`,
  ].filter((text) => text !== false);
  if (waits.length === 0)
    return { status: 'ok', message: 'Orders, payments, refunds and the ledger agree, and nothing waits' };
  return {
    status: failed > 0 || open > 0 ? 'wrong' : 'warning',
    message: waits.join('; '),
    advice:
      'Retry failed refunds with POST /refunds/{refund_id}/retry once the provider can pay them; answer disputes at the provider; see docs/OPERATIONS.md, "Money".',
  };
}
