import { buyerThere, orderInScope } from '../database/scope';
import type { Statement } from '../database/statements';
import { claimed } from '../idempotency/key-claim';

/** What keeps an order from being paid twice at once. Tests take a guard out, and show what then goes wrong. */
export const BEGIN_PAYMENT_GUARDS = {
  isPayable: `its_order.status = 'held' AND NOT is_due AND NOT is_over`,
  isUnpaid: 'NOT is_paying',
};

/**
 * Begins a payment of the order `$1`, of the user `$2` whose token is of `$3` (null: anyone's), at the provider `$4`: by the
 * method `$5`, and back to `$6`. `$7` is the fingerprint of the request. Only the row is made: the provider is asked after the
 * commit, under the row's id.
 *
 * Answers the order, or no row where it is out of scope; with the id of the payment, where one was begun.
 */
export const beginPayment = (guards = BEGIN_PAYMENT_GUARDS): Statement => ({
  name: 'begin_payment',
  text: textOf(guards, ''),
});

export const BEGIN_PAYMENT = beginPayment();

/** The same for a request with a key, which is claimed and not kept: `$8` to `$10` as `keyValues` makes them. */
export const BEGIN_KEYED_PAYMENT: Statement = {
  name: 'begin_keyed_payment',
  text: textOf(BEGIN_PAYMENT_GUARDS, `${claimed(8)}, `),
};

function textOf({ isPayable, isUnpaid }: typeof BEGIN_PAYMENT_GUARDS, claims: string): string {
  return `
    WITH ${claims}caller AS MATERIALIZED (
      SELECT ${buyerThere('$2::bigint', '$3::bigint')} AS id ${claims && 'FROM claimed WHERE verdict IS NULL'}
    ), asked AS MATERIALIZED (
      SELECT orders.id FROM orders, caller WHERE orders.id = $1 AND ${orderInScope('caller.id', 'false', 'orders')}
    ), its_order AS MATERIALIZED (
      SELECT id, event_id, status, is_paying, total, currency, expires_at, paid_at, expires_at <= clock_timestamp() AS is_due
      FROM orders WHERE id = (SELECT id FROM asked) FOR UPDATE
    ), begun AS (
      INSERT INTO payments (order_id, event_id, provider, status, amount, currency, method, return_url, request, created_at, ask_at)
      SELECT its_order.id, event_id, $4::varchar, 'processing', total, currency, $5::varchar, $6::varchar, $7::bytea,
        date_trunc('milliseconds', clock_timestamp()), least(expires_at, clock_timestamp() + interval '15 seconds')
      FROM its_order CROSS JOIN LATERAL (
        SELECT coalesce(status = 'cancelled' OR end_time <= now(), true) AS is_over FROM events WHERE events.id = its_order.event_id
        OFFSET 0
      ) AS event
      WHERE ${isPayable} AND ${isUnpaid} AND total > 0
      RETURNING *
    ), marked AS (
      UPDATE orders SET is_paying = true FROM begun WHERE orders.id = begun.order_id
    )
    SELECT its_order.id AS "orderId", CASE
        WHEN its_order.status = 'held' AND is_due AND NOT is_paying THEN 'expired' ELSE its_order.status
      END AS status,
      is_paying AND its_order.status = 'held' AS "isPaying", is_due AS "isDue", its_order.paid_at AS "paidAt",
      its_order.expires_at AS "expiresAt", begun.id, begun.amount, begun.currency, begun.method, begun.return_url AS "returnUrl"
      ${claims && ', verdict, outcome, claimed.answer, claimed.id AS "keyId"'}
    FROM ${claims ? 'claimed LEFT JOIN its_order ON true' : 'its_order'} LEFT JOIN begun ON true`;
}
