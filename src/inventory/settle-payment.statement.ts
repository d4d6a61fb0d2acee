import type { Statement } from '../database/statements';
import { addMessages } from '../jobs/outbox.service';
import { DISPUTE_TRANSITIONS, leadsTo, OPEN_PAYMENT, PAYMENT_TRANSITIONS } from './payment-states';

/** To which the outbox hands money that is to be given back. */
export const REFUND_TOPIC = 'refund.send';
/** To which it hands payments that failed here, and might be paid at their provider all the same. */
export const CANCEL_TOPIC = 'payment.cancel';

/** What keeps money from being lost, or kept for nothing. Tests take a guard out, and show what then goes wrong. */
export const SETTLE_PAYMENT_GUARDS = {
  /** Keeps the order and its payments as they were read until the transaction ends. */
  lock: 'FOR UPDATE',
  isNew: leadsTo(PAYMENT_TRANSITIONS, 'payment.status', 'said.status'),
  isRight: '$5::bigint = payment.amount AND $6 = payment.currency',
  isFirst: `its_order.status NOT IN ('paid', 'refunded')`,
  isForSale: `event.status IS DISTINCT FROM 'cancelled'`,
  isToCome: 'event.end_time > now()',
  /** All places of a hold that has ended, or none. */
  isFree: 'coalesce(free >= number, false)',
};

/**
 * Takes over what the provider `$1` says of its payment `$2`, which is ours with the id `$3` (null: known by `$2` alone): it
 * is in the state `$4`, with the amount `$5` in `$6`, failed for `$7`, and is in the dispute `$8`. `$9` is the event that
 * told of it, null where none did. What is known already changes nothing.
 *
 * Money that was taken buys the places that the order holds, or those of a hold that has ended where all are free again.
 * Else it is given back in full, by a row and a message of the same transaction.
 *
 * Answers the payment as it is then, or no row where it is unknown.
 */
export const settlePayment = (guards = SETTLE_PAYMENT_GUARDS): Statement => ({
  name: 'settle_payment',
  text: textOf(guards),
});

export const SETTLE_PAYMENT = settlePayment();

function textOf(guards: typeof SETTLE_PAYMENT_GUARDS): string {
  return `
    WITH known AS MATERIALIZED (
      SELECT id, order_id FROM payments
      WHERE id = $3::bigint AND provider = $1 AND coalesce(provider_payment, $2) = $2
      UNION ALL
      SELECT id, order_id FROM payments WHERE $3::bigint IS NULL AND provider = $1 AND provider_payment = $2
    ), its_order AS MATERIALIZED (
      SELECT id, status, event_id, quota_ids, quota_numbers FROM orders WHERE id = (SELECT order_id FROM known) ${guards.lock}
    ), payment AS MATERIALIZED (
      -- Locked after its order, as each of its states is decided under that lock.
      SELECT payments.* FROM payments, (SELECT count(*) AS number FROM its_order) AS locked
      WHERE payments.id = (SELECT id FROM known) AND locked.number > 0
      ${guards.lock && `${guards.lock} OF payments`}
    ), clock AS MATERIALIZED (
      SELECT date_trunc('milliseconds', clock_timestamp()) AS at FROM (SELECT count(*) FROM payment) AS locked
    ), news AS MATERIALIZED (
      SELECT payment.id, payment.order_id, payment.event_id, payment.dispute, said.status, payment.status IN ${OPEN_PAYMENT} AS was_open,
        ${guards.isNew} AS is_new, said.status = 'succeeded' AND ${guards.isNew} AS is_taken,
        $8::varchar IS NOT NULL AND ${leadsTo(DISPUTE_TRANSITIONS, `coalesce(payment.dispute, 'none')`, '$8')} AS is_disputed
      FROM payment, (SELECT CASE $4::varchar WHEN 'cancelled' THEN 'failed' ELSE $4 END AS status) AS said
    ), charged AS MATERIALIZED (
      SELECT its_order.*, CASE
          WHEN NOT (${guards.isRight}) THEN 'wrong_amount'
          WHEN NOT (${guards.isFirst}) THEN 'second_payment'
          WHEN NOT coalesce(${guards.isForSale}, false) THEN 'event_cancelled'
          WHEN its_order.status = 'cancelled' THEN 'order_cancelled'
          WHEN NOT coalesce(${guards.isToCome}, false) THEN 'event_over'
        END AS objection
      FROM news CROSS JOIN payment CROSS JOIN its_order
      LEFT JOIN LATERAL (SELECT status, end_time FROM events WHERE id = its_order.event_id OFFSET 0) AS event ON true
      WHERE is_taken
    ), place AS MATERIALIZED (
      SELECT quota_id, number FROM charged, unnest(quota_ids, quota_numbers) AS place (quota_id, number) WHERE objection IS NULL
    ), quota AS MATERIALIZED (
      SELECT id, is_closed, capacity - held - sold AS free FROM quotas
      WHERE id = ANY (ARRAY(SELECT quota_id FROM place)) ORDER BY id FOR UPDATE
    ), verdict AS MATERIALIZED (
      SELECT status, coalesce(objection, CASE
          WHEN (SELECT bool_or(is_closed) FROM quota) THEN 'event_cancelled'
          WHEN status <> 'held' AND NOT (
            SELECT bool_and(${guards.isFree}) FROM place LEFT JOIN quota ON quota.id = quota_id
          ) THEN 'places_gone'
        END) AS cause
      FROM charged
    ), moved AS MATERIALIZED (
      SELECT move_places(array_agg(quota_id), array_agg(CASE status WHEN 'held' THEN number ELSE 0 END), array_agg(number))
      FROM place, verdict WHERE cause IS NULL
      HAVING count(*) > 0
    ), changed_order AS (
      UPDATE orders SET is_paying = orders.is_paying AND NOT was_open,
        amount_paid = orders.amount_paid + CASE WHEN is_taken THEN $5::bigint ELSE 0 END,
        status = CASE WHEN is_bought THEN 'paid' ELSE orders.status END,
        paid_at = CASE WHEN is_bought THEN clock.at ELSE orders.paid_at END,
        network = CASE WHEN NOT is_bought THEN orders.network END
      FROM news, clock, (SELECT count(*) > 0 AS is_bought FROM moved) AS sale
      WHERE orders.id = news.order_id AND is_new AND news.status IN ('succeeded', 'failed')
    ), changed AS (
      UPDATE payments SET provider_payment = $2,
        status = CASE WHEN is_new THEN news.status ELSE payments.status END,
        failure_code = CASE
          WHEN NOT is_new THEN payments.failure_code
          WHEN news.status = 'failed' THEN coalesce($7, $4)
        END,
        taken = CASE WHEN is_taken THEN $5 ELSE payments.taken END,
        giving_back = CASE WHEN cause IS NULL THEN payments.giving_back ELSE $5 END,
        dispute = CASE WHEN is_disputed THEN $8 ELSE payments.dispute END,
        closed_at = CASE WHEN is_new AND news.status IN ('succeeded', 'failed') THEN clock.at ELSE payments.closed_at END,
        ask_at = CASE
          WHEN NOT is_new THEN payments.ask_at
          WHEN news.status = 'failed' THEN clock.at + interval '2 minutes'
          WHEN news.status <> 'succeeded' THEN payments.ask_at
        END
      FROM news CROSS JOIN clock LEFT JOIN verdict ON true
      WHERE payments.id = news.id AND (is_new OR is_disputed OR payments.provider_payment IS NULL)
      RETURNING payments.id, payments.status, payments.failure_code, payments.closed_at
    ), entry AS (
      INSERT INTO ledger (order_id, payment_id, kind, amount, currency, created_at)
      SELECT order_id, id, kind, sign * coalesce((SELECT taken FROM payment), $5), $6, clock.at
      FROM news, clock, LATERAL (VALUES
        ('charge', 1, is_taken AND $5 > 0),
        ('dispute', -1, is_disputed AND news.dispute IS NULL AND $8 <> 'won'),
        ('dispute_won', 1, is_disputed AND news.dispute = 'open' AND $8 = 'won')
      ) AS line (kind, sign, applies)
      WHERE applies
    ), refund AS (
      INSERT INTO refunds (order_id, event_id, payment_id, status, amount, currency, cause, created_at)
      SELECT order_id, event_id, news.id, 'pending', $5, $6, cause, clock.at
      FROM news, verdict, clock WHERE cause IS NOT NULL AND $5 > 0
      RETURNING id
    ), sending AS (
      ${addMessages(REFUND_TOPIC, `jsonb_build_object('refundId', id)`, 'refund')}
    ), cancelling AS (
      ${addMessages(CANCEL_TOPIC, `jsonb_build_object('paymentId', id)`, `news WHERE is_new AND $4 = 'failed'`)}
    ), fated AS (
      UPDATE tickets SET fate = CASE WHEN $8 <> 'won' THEN 'blocked' END
      FROM news
      WHERE tickets.order_id = news.order_id AND is_disputed
        AND CASE WHEN $8 = 'won' THEN fate = 'blocked' ELSE fate IS NULL END
        -- What is given back by itself has bought nothing.
        AND NOT EXISTS (SELECT FROM verdict WHERE cause IS NOT NULL)
        AND NOT EXISTS (
          SELECT FROM refunds
          WHERE refunds.order_id = news.order_id AND payment_id = news.id AND cause NOT IN ('organizer', 'event_cancelled')
        )
    ), told AS (
      INSERT INTO provider_events (provider, event_id, payment_id) SELECT $1, $9::varchar, id FROM payment WHERE $9 IS NOT NULL
      ON CONFLICT DO NOTHING
    )
    SELECT payment.id, payment.order_id AS "orderId", payment.provider, $2 AS "providerPayment",
      coalesce(changed.status, payment.status) AS status, payment.amount, payment.currency,
      CASE WHEN changed.id IS NULL THEN payment.failure_code ELSE changed.failure_code END AS "failureCode", payment.reference,
      payment.created_at AS "createdAt", payment.giving_back > 0 AS "isGivingBack", is_new AS "isNew", cause AS "refundCause", coalesce(verdict.status <> 'held', false) AS "isLate",
      extract(epoch FROM changed.closed_at - payment.created_at)::float8 AS seconds
    FROM payment CROSS JOIN news LEFT JOIN changed ON true LEFT JOIN verdict ON true`;
}
