import type { Statement } from '../database/statements';

/*
 * What becomes of the orders of an event that is closed: no more are placed, so each of these statements, repeated until it
 * finds none, sees them all. Each ends some, so that its locks last for a moment.
 */

/** Ends at most `$2` holds of the event `$1`. Answers how many it found, and how many it cancelled and let expire. */
export const CANCEL_HOLDS_OF_EVENT: Statement = {
  text: `
    WITH found AS MATERIALIZED (
      SELECT id FROM orders WHERE event_id = $1 AND status = 'held' ORDER BY expires_at LIMIT $2
    ), locked AS MATERIALIZED (
      SELECT id, status FROM orders WHERE id = ANY (ARRAY(SELECT id FROM found)) ORDER BY id FOR UPDATE
    ), ended AS MATERIALIZED (
      UPDATE orders SET status = CASE WHEN expires_at <= now() THEN 'expired' ELSE 'cancelled' END, network = NULL
      FROM locked
      WHERE orders.id = locked.id AND locked.status = 'held'
      RETURNING orders.status, quota_ids, quota_numbers
    ), drawn AS MATERIALIZED (
      SELECT quota_id, sum(number)::int AS number
      FROM ended, unnest(quota_ids, quota_numbers) AS place (quota_id, number)
      GROUP BY quota_id
    ), ${movePlaces('number', '0')}
    SELECT (SELECT count(*) FROM found)::int AS found,
      (SELECT count(*) FROM ended WHERE status = 'cancelled')::int AS cancelled,
      (SELECT count(*) FROM ended WHERE status = 'expired')::int AS expired
    FROM moved`,
};

/**
 * Goes on with the cancellation of the event `$1` behind the order where it stands: cancels those that were paid and cost
 * nothing, and counts what is owed for the others, of the next `$2` orders. Answers whether these were the last, and how
 * many it cancelled; no row where it is done already.
 */
export const CANCEL_PAID_ORDERS_OF_EVENT: Statement = {
  text: `
    WITH cancellation AS MATERIALIZED (
      SELECT event_id, last_order_id FROM event_cancellations WHERE event_id = $1 AND done_at IS NULL FOR UPDATE
    ), found AS MATERIALIZED (
      SELECT id FROM orders
      WHERE event_id = $1 AND id > (SELECT last_order_id FROM cancellation)
      ORDER BY id LIMIT $2
    ), locked AS MATERIALIZED (
      SELECT id, status, amount_paid, amount_refunded FROM orders
      WHERE id = ANY (ARRAY(SELECT id FROM found)) ORDER BY id FOR UPDATE
    ), ended AS MATERIALIZED (
      UPDATE orders SET status = 'cancelled'
      FROM locked
      WHERE orders.id = locked.id AND locked.status = 'paid' AND locked.amount_paid = 0
      RETURNING orders.id, code_id
    ), drawn AS MATERIALIZED (
      SELECT quota_id, count(*)::int AS number
      FROM (
        SELECT unnest(type.quota_ids) AS quota_id
        FROM ended, LATERAL (
          SELECT ticket_type_id FROM tickets WHERE order_id = ended.id AND (fate IS NULL OR fate = 'blocked') OFFSET 0
        ) AS ticket, LATERAL (SELECT quota_ids FROM ticket_types WHERE id = ticket.ticket_type_id OFFSET 0) AS type
        UNION ALL
        SELECT code.quota_id FROM ended, LATERAL (SELECT quota_id FROM codes WHERE id = ended.code_id OFFSET 0) AS code
      ) AS place
      GROUP BY quota_id
    ), ${movePlaces('0', '-number')}, progressed AS (
      UPDATE event_cancellations SET progressed_at = now(),
        last_order_id = coalesce((SELECT max(id) FROM found), event_cancellations.last_order_id),
        amount_owed = amount_owed + (
          SELECT coalesce(sum(amount_paid - amount_refunded), 0) FROM locked WHERE status = 'paid'
        ),
        done_at = CASE WHEN (SELECT count(*) FROM found) < $2 THEN now() END
      FROM cancellation, moved
      WHERE event_cancellations.event_id = cancellation.event_id
      RETURNING done_at IS NOT NULL AS "isDone"
    )
    SELECT "isDone", (SELECT count(*) FROM ended)::int AS cancelled FROM progressed`,
};

/** Each quota is locked before a function counts from its row. */
function movePlaces(fewerHeld: string, moreSold: string): string {
  return `quota AS MATERIALIZED (
      SELECT id FROM quotas WHERE id = ANY (ARRAY(SELECT quota_id FROM drawn)) ORDER BY id FOR UPDATE
    ), moved AS MATERIALIZED (
      SELECT move_places(array_agg(quota_id), array_agg(${fewerHeld}), array_agg(${moreSold}))
      FROM drawn, (SELECT count(*) FROM quota) AS locked
    )`;
}
