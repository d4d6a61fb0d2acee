import { buyerThere, orderInScope } from '../database/scope';
import type { Statement } from '../database/statements';
import { claimed } from '../idempotency/key-claim';
import { waitAtMost } from './lock-timeout';

/** What keeps an order from being paid twice at once. Tests take a guard out, and show what then goes wrong. */
export const BEGIN_PAYMENTS_GUARDS = {
  isPayable: `its_order.status = 'held' AND its_order.expires_at > clock.at AND NOT is_over`,
  isUnpaid: 'NOT its_order.is_paying',
};

/**
 * Begins payments at the provider `$2`. `$1` is an array of JSON: of each its place `n` in the order of arrival, the order,
 * whose that must be and when their token was issued (null: anyone's), by which `method` and back to which `return_url` it is
 * paid, and the fingerprint of the `request`. Of several requests for one order the first wins. Only rows are made: the
 * provider is asked after the commit, under their ids. `$3` is how many milliseconds to wait for a lock.
 *
 * Answers a row per request: the order (null where it is out of scope), and the id of the payment that this request began.
 */
export const beginPayments = (guards = BEGIN_PAYMENTS_GUARDS): Statement => ({
  name: 'begin_payments',
  text: textOf(guards, ''),
});

export const BEGIN_PAYMENTS = beginPayments();

/** The same where some of the requests have keys, which are claimed and not kept: `$4` to `$6` as `keyValues` makes them. */
export const BEGIN_KEYED_PAYMENTS: Statement = {
  name: 'begin_keyed_payments',
  text: textOf(BEGIN_PAYMENTS_GUARDS, `${claimed(4)}, `),
};

function textOf({ isPayable, isUnpaid }: typeof BEGIN_PAYMENTS_GUARDS, claims: string): string {
  return `
    WITH ${claims}${waitAtMost('$3')}, request AS MATERIALIZED (
      -- As JSON, whose length no plan depends on: of arrays each length would be planned anew.
      SELECT r.n, CASE WHEN ${claims ? 'claimed.verdict IS NULL' : 'true'} THEN r.order_id END AS order_id, method, return_url,
        request, ${buyerThere('r.buyer_id', 'r.issued_at')} AS buyer_id
      FROM patience, json_to_recordset($1::json) AS r
        (n int, order_id bigint, buyer_id bigint, issued_at bigint, method varchar, return_url varchar, request bytea)
      ${claims && 'LEFT JOIN claimed ON claimed.n = r.n'}
    ), its_order AS MATERIALIZED (
      SELECT id, user_id, event_id, status, is_paying, total, currency, expires_at, paid_at FROM orders
      WHERE id = ANY (ARRAY(SELECT order_id FROM request))
      ORDER BY id
      FOR UPDATE
    ), clock AS MATERIALIZED (
      SELECT date_trunc('milliseconds', clock_timestamp()) AS at FROM (SELECT count(*) FROM its_order) AS locked
    ), asked AS MATERIALIZED (
      SELECT request.*, its_order.id, user_id, event_id, status, is_paying, total, currency, expires_at, paid_at, clock.at,
        expires_at <= clock.at AS is_due, ${isPayable} AND ${isUnpaid} AND total > 0 AS is_granted
      FROM request CROSS JOIN clock
      JOIN its_order ON its_order.id = request.order_id AND ${orderInScope('request.buyer_id', 'false', 'its_order')}
      CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(status = 'cancelled' OR end_time <= now()), true) AS is_over FROM events
        WHERE events.id = its_order.event_id OFFSET 0
      ) AS event
    ), begun AS (
      INSERT INTO payments (order_id, event_id, provider, status, amount, currency, method, return_url, request, created_at, ask_at)
      SELECT DISTINCT ON (id) id, event_id, $2::varchar, 'processing', total, currency, method, return_url, request, at,
        least(expires_at, at + interval '15 seconds')
      FROM asked WHERE is_granted ORDER BY id, n
      RETURNING id, order_id
    ), marked AS (
      UPDATE orders SET is_paying = true FROM begun WHERE orders.id = begun.order_id
    ), answer AS (
      SELECT asked.*, begun.id AS payment_id, row_number() OVER (PARTITION BY asked.id ORDER BY asked.n) = 1 AS is_first
      FROM asked LEFT JOIN begun ON begun.order_id = asked.id
    )
    SELECT request.n, answer.id AS "orderId", CASE
        WHEN status = 'held' AND is_due AND NOT is_paying THEN 'expired' ELSE status
      END AS status,
      status = 'held' AND (is_paying OR payment_id IS NOT NULL AND NOT is_first) AS "isPaying", is_due AS "isDue",
      paid_at AS "paidAt", expires_at AS "expiresAt", CASE WHEN is_first THEN payment_id END AS id, total AS amount, currency,
      answer.method, answer.return_url AS "returnUrl", NULL::bigint AS "stuckEventId"
      ${claims && ', verdict, outcome, claimed.answer, claimed.id AS "keyId"'}
    FROM request ${claims && 'LEFT JOIN claimed ON claimed.n = request.n'} LEFT JOIN answer ON answer.n = request.n
    ORDER BY request.n`;
}
