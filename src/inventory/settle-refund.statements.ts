import type { Statement } from '../database/statements';
import { addMessages } from '../jobs/outbox.service';
import { leadsTo, REFUND_TRANSITIONS } from './payment-states';
import { REFUND_TOPIC } from './settle-payments.statement';

/** What keeps a refund from being counted twice. Tests take a guard out, and show what then goes wrong. */
export const SETTLE_REFUNDS_GUARDS = { isNew: leadsTo(REFUND_TRANSITIONS, 'refund.status', 'said.status') };

/**
 * Takes over what the provider says of refunds. `$1` is an array of JSON: of each its place `n` in the order of arrival, the
 * refund, of which `attempt` it is said, the state it is in, its id there, and why it failed. What is known already changes
 * nothing; neither does the failure of a try before the last.
 *
 * Answers a row per request: the refund's state as it is then, null where it is unknown. `isLeft`: nothing was done, as
 * something else about the same refund came before; it is to be asked for again.
 */
export const settleRefunds = ({ isNew } = SETTLE_REFUNDS_GUARDS): Statement => ({
  name: 'settle_refunds',
  text: `
    WITH said AS MATERIALIZED (
      -- As JSON, whose length no plan depends on: of arrays each length would be planned anew.
      SELECT r.*, row_number() OVER (PARTITION BY r.id ORDER BY r.n) AS turn
      FROM json_to_recordset($1::json) AS r
        (n int, id bigint, attempt int, status varchar, provider_refund varchar, failure_code varchar)
    ), its_order AS MATERIALIZED (
      SELECT id FROM orders
      WHERE id = ANY (ARRAY(SELECT order_id FROM refunds WHERE refunds.id = ANY (ARRAY(SELECT said.id FROM said))))
      ORDER BY id
      FOR UPDATE
    ), refund AS MATERIALIZED (
      -- Locked after their orders, as each of their states is decided under that lock.
      SELECT refunds.* FROM refunds, (SELECT count(*) AS number FROM its_order) AS locked
      WHERE refunds.id = ANY (ARRAY(SELECT said.id FROM said)) AND locked.number > 0
      ORDER BY refunds.id
      FOR UPDATE OF refunds
    ), news AS MATERIALIZED (
      SELECT said.*, refund.order_id, refund.payment_id, refund.amount, refund.currency, refund.status AS was,
        ${isNew} AND (said.status = 'succeeded' OR said.attempt = refund.attempt) AS is_new,
        date_trunc('milliseconds', clock_timestamp()) AS at
      FROM said JOIN refund ON refund.id = said.id
      WHERE turn = 1
    ), changed AS (
      UPDATE refunds SET status = CASE WHEN is_new THEN news.status ELSE refunds.status END,
        provider_refund = coalesce(news.provider_refund, refunds.provider_refund),
        failure_code = CASE
          WHEN NOT is_new THEN refunds.failure_code
          WHEN news.status = 'failed' THEN coalesce(news.failure_code, 'failed')
        END,
        closed_at = CASE WHEN is_new THEN at ELSE refunds.closed_at END
      FROM news
      WHERE refunds.id = news.id
        AND (is_new OR refunds.attempt = news.attempt AND refunds.provider_refund IS DISTINCT FROM news.provider_refund)
      RETURNING news.n, refunds.status
    ), counted AS (
      UPDATE orders SET amount_refunded = amount_refunded + given.amount
      FROM (
        SELECT order_id, sum(amount) AS amount FROM news WHERE is_new AND status = 'succeeded' GROUP BY order_id
      ) AS given
      WHERE orders.id = given.order_id
    ), entry AS (
      INSERT INTO ledger (order_id, payment_id, refund_id, kind, amount, currency, created_at)
      SELECT order_id, payment_id, id, 'refund', -amount, currency, at FROM news WHERE is_new AND status = 'succeeded'
    )
    SELECT coalesce(changed.status, was) AS status, coalesce(is_new, false) AS "isNew", said.turn > 1 AS "isLeft"
    FROM said LEFT JOIN news ON news.n = said.n LEFT JOIN changed ON changed.n = said.n
    ORDER BY said.n`,
});

export const SETTLE_REFUNDS = settleRefunds();

const AGAIN = `status = 'pending', attempt = attempt + 1, failure_code = NULL, provider_refund = NULL, closed_at = NULL`;

/** Tries the failed refund `$1` again. Answers a row where it had failed. */
export const RETRY_REFUND: Statement = {
  name: 'retry_refund',
  text: `
    WITH again AS (
      UPDATE refunds SET ${AGAIN} WHERE id = $1 AND status = 'failed' RETURNING id
    ), sending AS (
      ${addMessages(REFUND_TOPIC, `jsonb_build_object('refundId', id)`, 'again')}
    )
    SELECT id FROM again`,
};

/** The same for at most `$2` of those that the cancellation of the event `$1` began. */
export const RETRY_REFUNDS_OF_EVENT: Statement = {
  text: `
    WITH failed AS MATERIALIZED (
      SELECT id FROM refunds WHERE event_id = $1 AND cause = 'event_cancelled' AND status = 'failed'
      ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
    ), again AS (
      UPDATE refunds SET ${AGAIN} WHERE id = ANY (ARRAY(SELECT id FROM failed)) RETURNING id
    ), sending AS (
      ${addMessages(REFUND_TOPIC, `jsonb_build_object('refundId', id)`, 'again')}
    )
    SELECT id FROM again`,
};
