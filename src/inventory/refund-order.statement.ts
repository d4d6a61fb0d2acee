import { organizerThere } from '../database/scope';
import type { Statement } from '../database/statements';
import { addMessages } from '../jobs/outbox.service';
import { REFUND_TOPIC } from './settle-payments.statement';

/** What keeps more from being given back than was paid. Tests take a guard out, and show what then goes wrong. */
export const REFUND_ORDER_GUARDS = {
  /** Keeps the order's payments and tickets as they were read until the transaction ends. */
  lock: 'FOR UPDATE',
  isLeft: 'wanted.amount <= wanted.rest',
  /** The bank has decided: it leaves all of the money, or takes what is `lost`. */
  isUndisputed: `dispute IS DISTINCT FROM 'open'`,
};

/**
 * Gives money of the order `$1` back: that of the tickets `$4`, or the amount `$5`, or, where both are null, all that is left.
 * `$2` and `$3` are the organizer who asks for it (null: anyone) and when their token was issued, `$6` is their reason, and
 * `$7` whether the tickets' places stay sold, `$8` the cause. Tickets are refunded from the commit on; a message of the outbox
 * sees to the money. What was paid in cash or by bank is given back by the organizer, so that it is done at once.
 *
 * Answers one row: what the caller is to the order, the refund, or why there is none.
 */
export const refundOrder = (guards = REFUND_ORDER_GUARDS): Statement => ({
  name: 'refund_order',
  text: textOf(guards),
});

export const REFUND_ORDER = refundOrder();

function textOf({ lock, isLeft, isUndisputed }: typeof REFUND_ORDER_GUARDS): string {
  return `
    WITH asked AS MATERIALIZED (
      SELECT orders.id, orders.user_id = caller.id AS is_buyers,
        $2::bigint IS NULL OR coalesce(events.organizer_id = caller.id, false) AS is_theirs
      FROM (SELECT ${organizerThere('$2::bigint', '$3::bigint')} AS id) AS caller
      JOIN orders ON orders.id = $1
      JOIN events ON events.id = orders.event_id
    ), its_order AS MATERIALIZED (
      SELECT id, event_id, status, code_id FROM orders WHERE id = (SELECT id FROM asked WHERE is_theirs) ${lock}
    ), locked AS MATERIALIZED (
      SELECT count(*) AS number FROM its_order
    ), payment AS MATERIALIZED (
      -- Counted in a row that is locked: what others began while this waited stands there, and not in this snapshot.
      SELECT payments.id, provider, currency, CASE WHEN ${isUndisputed} THEN taken - giving_back - lost ELSE 0 END AS rest
      FROM payments, locked
      WHERE payments.order_id = $1 AND payments.status = 'succeeded' AND locked.number > 0
      ${lock && `${lock} OF payments`}
    ), chosen AS MATERIALIZED (
      SELECT * FROM payment ORDER BY rest DESC, id LIMIT 1
    ), ticket AS MATERIALIZED (
      SELECT tickets.id, fate, price, ticket_type_id FROM tickets, locked
      WHERE tickets.order_id = $1 AND locked.number > 0
      ${lock && `${lock} OF tickets`}
    ), meant AS MATERIALIZED (
      SELECT * FROM ticket
      WHERE $5::bigint IS NULL AND CASE WHEN $4::bigint[] IS NULL THEN fate IS DISTINCT FROM 'refunded' ELSE id = ANY ($4) END
    ), wanted AS MATERIALIZED (
      SELECT coalesce(chosen.rest, 0) AS rest, CASE
          WHEN $5 IS NOT NULL THEN $5
          WHEN $4 IS NULL THEN chosen.rest
          ELSE (SELECT sum(price) FROM meant)::bigint
        END AS amount
      FROM its_order LEFT JOIN chosen ON true
    ), verdict AS MATERIALIZED (
      SELECT wanted.amount, CASE
          WHEN (SELECT count(*) FROM meant) < cardinality($4) THEN 'unknown_ticket'
          WHEN NOT coalesce(wanted.amount > 0 AND ${isLeft}, false) THEN 'too_much'
          WHEN EXISTS (SELECT FROM meant WHERE fate = 'refunded') THEN 'too_much'
        END AS refusal
      FROM wanted
    ), clock AS MATERIALIZED (
      SELECT date_trunc('milliseconds', clock_timestamp()) AS at FROM locked
    ), granted AS MATERIALIZED (
      SELECT its_order.id AS order_id, event_id, code_id, its_order.status, chosen.id AS payment_id, chosen.currency, amount,
        provider = 'offline' AS is_offline, clock.at, EXISTS (SELECT FROM meant) AND NOT EXISTS (
          SELECT FROM ticket WHERE fate IS DISTINCT FROM 'refunded' AND id NOT IN (SELECT id FROM meant)
        ) AS is_last
      FROM its_order, chosen, verdict, clock WHERE refusal IS NULL
    ), refund AS (
      INSERT INTO refunds (order_id, event_id, payment_id, status, amount, currency, cause, reason, ticket_ids, keep_places,
        created_at, closed_at)
      SELECT order_id, event_id, payment_id, CASE WHEN is_offline THEN 'succeeded' ELSE 'pending' END, amount, currency, $8::varchar,
        $6::varchar, (SELECT array_agg(id ORDER BY id) FROM meant), $7::boolean, at, CASE WHEN is_offline THEN at END
      FROM granted
      RETURNING *
    ), counted AS (
      UPDATE payments SET giving_back = giving_back + granted.amount FROM granted WHERE payments.id = granted.payment_id
    ), entry AS (
      INSERT INTO ledger (order_id, payment_id, refund_id, kind, amount, currency, created_at)
      SELECT order_id, payment_id, id, 'refund', -amount, currency, created_at FROM refund WHERE status = 'succeeded'
    ), sending AS (
      ${addMessages(REFUND_TOPIC, `jsonb_build_object('refundId', id)`, `refund WHERE status = 'pending'`)}
    ), changed_order AS (
      UPDATE orders SET amount_refunded = amount_refunded + CASE WHEN is_offline THEN amount ELSE 0 END,
        status = CASE WHEN is_last AND orders.status = 'paid' THEN 'refunded' ELSE orders.status END
      FROM granted WHERE orders.id = granted.order_id
    ), fated AS (
      UPDATE tickets SET fate = 'refunded', keeps_place = $7 AND meant.fate IS DISTINCT FROM 'void'
      FROM meant, granted WHERE tickets.id = meant.id AND granted.status = 'paid'
    ), drawn AS MATERIALIZED (
      SELECT quota_id, count(*)::int AS number
      FROM (
        -- The place of a void ticket was given back before.
        SELECT unnest(type.quota_ids) AS quota_id
        FROM granted, meant, LATERAL (SELECT quota_ids FROM ticket_types WHERE id = meant.ticket_type_id OFFSET 0) AS type
        WHERE granted.status = 'paid' AND NOT $7 AND (fate IS NULL OR fate = 'blocked')
        UNION ALL
        SELECT code.quota_id FROM granted, LATERAL (SELECT quota_id FROM codes WHERE id = granted.code_id OFFSET 0) AS code
        WHERE is_last AND granted.status = 'paid'
      ) AS place
      GROUP BY quota_id
    ), quota AS MATERIALIZED (
      SELECT id FROM quotas WHERE id = ANY (ARRAY(SELECT quota_id FROM drawn)) ORDER BY id FOR UPDATE
    ), moved AS MATERIALIZED (
      SELECT move_places(array_agg(quota_id), array_agg(0), array_agg(-number)) FROM drawn, (SELECT count(*) FROM quota) AS locked_quotas
      HAVING count(*) > 0
    )
    SELECT coalesce(asked.is_theirs, false) AS "isTheirs", coalesce(asked.is_buyers, false) AS "isBuyers", verdict.refusal,
      refund.id, refund.order_id AS "orderId", refund.status, refund.amount, refund.currency, refund.cause, refund.reason,
      array_to_json(refund.ticket_ids) AS "ticketIds", refund.keep_places AS "keepPlaces", refund.failure_code AS "failureCode",
      refund.created_at AS "createdAt"
    FROM (SELECT count(*) FROM moved) AS done
    LEFT JOIN asked ON true LEFT JOIN verdict ON true LEFT JOIN refund ON true`;
}
