import type { Statement } from '../database/statements';
import { addMessages } from '../jobs/outbox.service';
import { SAME_KEYS } from './order-status';
import { REFUND_TOPIC } from './settle-payments.statement';

/*
 * What becomes of the orders of an event that is closed: no more are placed, so each of these statements, repeated until it
 * finds none, sees them all. Each ends some, so that its locks last for a moment.
 */

/** Ends at most `$2` holds of the event `$1`. Answers how many it found, and how many it cancelled and let expire. */
export const CANCEL_HOLDS_OF_EVENT: Statement = {
  text: `
    WITH found AS MATERIALIZED (
      SELECT id FROM orders WHERE event_id + 0 = $1 AND status = 'held' ORDER BY expires_at LIMIT $2
    ), locked AS MATERIALIZED (
      SELECT id, status FROM orders WHERE id = ANY (ARRAY(SELECT id FROM found)) ORDER BY id FOR UPDATE
    ), ended AS MATERIALIZED (
      UPDATE orders SET status = CASE WHEN expires_at <= now() THEN 'expired' ELSE 'cancelled' END, network = NULL, ${SAME_KEYS}
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
 * Goes on with the cancellation of the event `$1` behind the order where it stands: of the next `$2` orders it cancels those
 * that were paid and cost nothing, begins a refund of what the provider took for the others, and counts what is owed for
 * those that were paid in cash or by bank. What a bank disputes is left: `ENDED_DISPUTE_TOPIC` comes back to it. Answers whether
 * these were the last, and how many it cancelled; no row where it is done already.
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
      SELECT id, event_id, status, amount_paid FROM orders
      WHERE id = ANY (ARRAY(SELECT id FROM found)) ORDER BY id FOR UPDATE
    ), payment AS MATERIALIZED (
      -- Counted in rows that are locked: what was given back while this waited stands there, and not in this snapshot.
      SELECT payments.id, payments.order_id, provider, currency, taken - giving_back AS rest,
        CASE WHEN dispute = 'open' THEN 0 ELSE taken - giving_back - lost END AS ours
      FROM payments, (SELECT count(*) FROM locked) AS locked_orders
      WHERE payments.order_id = ANY (ARRAY(SELECT id FROM locked WHERE locked.status = 'paid' AND amount_paid > 0))
        AND payments.status = 'succeeded'
      ORDER BY payments.id FOR UPDATE OF payments
    ), refund AS (
      INSERT INTO refunds (order_id, event_id, payment_id, status, amount, currency, cause, ticket_ids, created_at)
      SELECT order_id, $1, id, 'pending', ours, currency, 'event_cancelled',
        (SELECT array_agg(tickets.id ORDER BY tickets.id) FROM tickets WHERE tickets.order_id = payment.order_id AND fate IS DISTINCT FROM 'refunded'),
        clock_timestamp()
      FROM payment WHERE provider <> 'offline' AND ours > 0 ORDER BY id
      RETURNING id, order_id, payment_id, amount
    ), counted AS (
      UPDATE payments SET giving_back = giving_back + refund.amount FROM refund WHERE payments.id = refund.payment_id
    ), sending AS (
      ${addMessages(REFUND_TOPIC, `jsonb_build_object('refundId', id)`, 'refund ORDER BY id')}
    ), ended AS MATERIALIZED (
      UPDATE orders SET status = CASE locked.amount_paid WHEN 0 THEN 'cancelled' ELSE 'refunded' END
      FROM locked
      WHERE orders.id = locked.id AND locked.status = 'paid'
        AND (locked.amount_paid = 0 OR locked.id IN (SELECT order_id FROM refund)
          -- All its money was given back before, as an amount: its tickets are still good.
          OR NOT EXISTS (SELECT FROM payment WHERE payment.order_id = locked.id AND rest > 0))
      RETURNING orders.id, code_id, orders.status
    ), ticket AS MATERIALIZED (
      SELECT tickets.id, tickets.order_id, ticket_type_id, fate FROM tickets, (SELECT count(*) FROM ended) AS locked_orders
      WHERE tickets.order_id = ANY (ARRAY(SELECT id FROM ended)) FOR UPDATE OF tickets
    ), fated AS (
      UPDATE tickets SET fate = 'refunded' FROM ticket, ended
      WHERE tickets.id = ticket.id AND ended.id = ticket.order_id AND ended.status = 'refunded'
        AND ticket.fate IS DISTINCT FROM 'refunded'
    ), drawn AS MATERIALIZED (
      SELECT quota_id, count(*)::int AS number
      FROM (
        SELECT unnest(type.quota_ids) AS quota_id
        FROM ticket, LATERAL (SELECT quota_ids FROM ticket_types WHERE id = ticket.ticket_type_id OFFSET 0) AS type
        WHERE fate IS NULL OR fate = 'blocked'
        UNION ALL
        SELECT code.quota_id FROM ended, LATERAL (SELECT quota_id FROM codes WHERE id = ended.code_id OFFSET 0) AS code
      ) AS place
      GROUP BY quota_id
    ), ${movePlaces('0', '-number')}, progressed AS (
      UPDATE event_cancellations SET progressed_at = now(),
        last_order_id = coalesce((SELECT max(id) FROM found), event_cancellations.last_order_id),
        amount_owed = amount_owed + (
          SELECT coalesce(sum(ours), 0) FROM payment WHERE provider = 'offline'
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
