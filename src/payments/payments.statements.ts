import { buyerThere, orderInScope } from '../database/scope';
import type { Statement } from '../database/statements';

const PAYMENT = `payments.id, payments.order_id AS "orderId", provider, payments.status, amount, payments.currency, reference,
      failure_code AS "failureCode", payments.created_at AS "createdAt"`;

/** Of the order `$1`, if it is in the scope of `$2` to `$4`. */
export const LIST_BY_ORDER: Statement = {
  text: `
    SELECT ${PAYMENT}
    FROM (SELECT ${buyerThere('$2::bigint', '$3::bigint')} AS id) AS caller
    JOIN orders ON orders.id = $1 AND ${orderInScope('caller.id', '$4::bool', 'orders')}
    JOIN payments ON payments.order_id = orders.id
    WHERE payments.id < $5
    ORDER BY payments.id DESC LIMIT $6`,
};

/**
 * Of the event `$1`, behind the payment `$2`, at most `$3`. The pair of columns names the index: by the id alone the planner may
 * rather walk through the payments of all events, since it does not know that those of this one are old.
 */
export const LIST_BY_EVENT: Statement = {
  text: `
    SELECT ${PAYMENT} FROM payments
    WHERE (event_id, id) < ($1::bigint, $2::bigint) AND (event_id, id) >= ($1::bigint, 0)
    ORDER BY event_id DESC, id DESC LIMIT $3`,
};

/** What it takes to speak of a payment with its provider. */
const AT_PROVIDER = `payments.id, order_id AS "orderId", provider, provider_payment AS "providerPayment", payments.status, amount,
      payments.currency, method, return_url AS "returnUrl", orders.expires_at AS "expiresAt",
      orders.status <> 'held' OR orders.expires_at <= now() AS "isEnding"`;

/** The open payment of the order `$1`. */
export const FIND_OPEN: Statement = {
  name: 'find_open_payment',
  text: `
    SELECT ${AT_PROVIDER} FROM payments JOIN orders ON orders.id = order_id
    WHERE order_id = $1 AND payments.status IN ('requires_action', 'processing')`,
};

export const FIND_PAYMENT: Statement = {
  name: 'find_payment_at_provider',
  text: `SELECT ${AT_PROVIDER} FROM payments JOIN orders ON orders.id = order_id WHERE payments.id = $1`,
};

/** The payment of the order `$1` that a request with one of the fingerprints `$2` began. */
export const FIND_BY_REQUEST: Statement = {
  name: 'find_payment_by_request',
  text: `
    SELECT ${AT_PROVIDER} FROM payments JOIN orders ON orders.id = order_id
    -- Of one that was never heard of nothing is left to be told.
    WHERE order_id = $1 AND request = ANY ($2::bytea[]) AND (payments.status <> 'failed' OR provider_payment IS NOT NULL)
    ORDER BY payments.id DESC LIMIT 1`,
};

/** The payment `$1` as an answer shows it. */
export const SHOW_PAYMENT: Statement = {
  name: 'show_payment',
  text: `SELECT ${PAYMENT} FROM payments WHERE id = $1`,
};

/**
 * Ends the payment `$1` of the order `$2`, of which the provider has given no word: it failed for `$3`. Should money be taken
 * all the same, it is late.
 */
export const FAIL_UNANSWERED: Statement = {
  name: 'fail_unanswered_payment',
  text: `
    WITH its_order AS MATERIALIZED (
      SELECT id FROM orders WHERE id = $2 FOR UPDATE
    ), failed AS (
      UPDATE payments SET status = 'failed', failure_code = $3, closed_at = clock_timestamp(), ask_at = NULL
      FROM (SELECT count(*) FROM its_order) AS locked
      WHERE id = $1 AND status IN ('requires_action', 'processing') AND provider_payment IS NULL
      RETURNING order_id
    )
    UPDATE orders SET is_paying = false FROM failed WHERE orders.id = failed.order_id`,
};

/**
 * Takes the payments at the provider `$1` that it is time to ask about, at most `$2`, and says when to ask again: soon where
 * the hold has ended, twice after a failure, for money that comes late, and every day while a bank disputes it.
 */
export const CLAIM_TO_ASK: Statement = {
  name: 'claim_payments_to_ask',
  text: `
    WITH due AS MATERIALIZED (
      SELECT id FROM payments WHERE ask_at <= now() AND provider = $1
      ORDER BY ask_at LIMIT $2 FOR UPDATE SKIP LOCKED
    )
    UPDATE payments SET ask_at = CASE
        WHEN payments.status IN ('requires_action', 'processing') AND NOT (orders.status <> 'held' OR orders.expires_at <= now())
          THEN least(now() + interval '1 minute', orders.expires_at)
        WHEN payments.status IN ('requires_action', 'processing') AND orders.expires_at > now() - interval '2 minutes'
          THEN now() + interval '3 seconds'
        WHEN payments.status IN ('requires_action', 'processing') THEN now() + interval '1 minute'
        WHEN payments.dispute = 'open' THEN now() + interval '1 day'
        WHEN payments.closed_at > now() - interval '1 hour' THEN now() + interval '1 hour'
      END
    FROM orders
    WHERE payments.id = ANY (ARRAY(SELECT id FROM due)) AND orders.id = payments.order_id
    RETURNING ${AT_PROVIDER}`,
};
