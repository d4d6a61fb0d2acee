import type { Statement } from '../database/statements';
import { STATUS_NOW } from '../inventory/order-status';

/** Of one statement, which reads each of these tickets: some 50 ms. */
const ORDERS = 5_000;
const TICKETS = 20_000;

/**
 * Counts the next orders of the event `$1` behind the order `$2`, by the quarter of an hour in which they were paid: days of
 * any time zone are made of those. (PostgreSQL takes some names of zones for abbreviations of others, and does not know all.)
 * Answers one row; `last` is null behind the last order.
 */
export const COUNT_SOME_ORDERS: Statement = {
  text: `
    WITH next AS MATERIALIZED (
      SELECT orders.id, ${STATUS_NOW} AS status, paid_at, places, amount_paid, amount_refunded, lost,
        sum(places) OVER (ORDER BY orders.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS tickets_before
      FROM orders, LATERAL (
        SELECT coalesce(sum(lost), 0) AS lost FROM payments WHERE payments.order_id = orders.id OFFSET 0
      ) AS payment
      WHERE event_id = $1 AND orders.id > $2 ORDER BY orders.id LIMIT ${ORDERS}
    ), counted AS MATERIALIZED (
      SELECT * FROM next WHERE tickets_before IS NULL OR tickets_before < ${TICKETS}
    ), of_type AS (
      SELECT ticket_type_id AS type_id,
        coalesce(ticket.fate, CASE counted.status WHEN 'held' THEN 'reserved' ELSE counted.status END) AS status,
        count(*)::int AS tickets
      FROM counted, LATERAL (SELECT ticket_type_id, fate FROM tickets WHERE order_id = counted.id OFFSET 0) AS ticket
      GROUP BY 1, 2
    ), of_quarter AS (
      SELECT extract(epoch FROM date_bin('15 minutes', paid_at, 'epoch')) * 1000 AS since, count(*)::int AS orders, sum(places)::int AS tickets,
        sum(amount_paid)::float8 AS amount
      FROM counted WHERE paid_at IS NOT NULL GROUP BY 1
    )
    SELECT max(id) AS last, coalesce(sum(amount_paid), 0)::float8 AS "amountPaid",
      coalesce(sum(amount_refunded), 0)::float8 AS "amountRefunded",
      coalesce(sum(greatest(amount_paid - amount_refunded - lost, 0)) FILTER (WHERE status = 'paid'), 0)::float8 AS "amountKept",
      (SELECT coalesce(json_agg(of_type), '[]') FROM of_type) AS types,
      (SELECT coalesce(json_agg(of_quarter), '[]') FROM of_quarter) AS quarters
    FROM counted`,
};

/** The types of the event `$1`, those that are archived too; and whether it is cancelled. */
export const NAMED_TYPES: Statement = {
  text: `
    SELECT ticket_types.id, name, events.status = 'cancelled' AS "isCancelled"
    FROM events LEFT JOIN LATERAL (
      SELECT id, name FROM ticket_types WHERE id = ANY ($2::bigint[]) ORDER BY id
    ) AS ticket_types ON true
    WHERE events.id = $1`,
};
