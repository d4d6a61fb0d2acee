import type { Statement } from '../database/statements';

/**
 * Finds payments that providers speak of. `$1` is an array of JSON: of each its place `n` in the order of arrival, the provider,
 * its id of the payment, and ours where the provider kept it; the `event` that tells of it, and whether that tells of nothing
 * but that the money was taken, or the id of the refund of which it tells nothing but that it succeeded.
 *
 * Answers a row per request: our ids, which are null for a payment that is unknown, whether some of it is given back, and
 * whether all that is told is known.
 */
export const FIND_PAYMENTS: Statement = {
  name: 'find_payments',
  text: `
    SELECT payment.id, payment.order_id AS "orderId", coalesce(payment.giving_back > 0, false) AS "isGivingBack", coalesce(is_success AND payment.status = 'succeeded', false)
        OR told.at IS NOT NULL OR given_back.at IS NOT NULL AS "isKnown"
    FROM json_to_recordset($1::json) AS asked
      (n int, provider varchar, provider_payment varchar, payment_id bigint, event varchar, is_success boolean, refund_id bigint)
    LEFT JOIN LATERAL (
      SELECT id, order_id, status, giving_back FROM payments
      WHERE id = asked.payment_id AND provider = asked.provider
        AND coalesce(provider_payment, asked.provider_payment) = asked.provider_payment
      UNION ALL
      SELECT id, order_id, status, giving_back FROM payments
      WHERE asked.payment_id IS NULL AND provider = asked.provider AND provider_payment = asked.provider_payment
    ) AS payment ON true
    LEFT JOIN LATERAL (
      SELECT received_at AS at FROM provider_events WHERE provider = asked.provider AND event_id = asked.event OFFSET 0
    ) AS told ON true
    LEFT JOIN LATERAL (
      SELECT created_at AS at FROM refunds WHERE id = asked.refund_id AND payment_id = payment.id AND status = 'succeeded' OFFSET 0
    ) AS given_back ON true
    ORDER BY asked.n`,
};
