import type { Statement } from '../database/statements';
import { addMessages } from '../jobs/outbox.service';
import { leadsTo, REFUND_TRANSITIONS } from './payment-states';
import { REFUND_TOPIC } from './settle-payments.statement';

/** What keeps a refund from being counted twice. Tests take a guard out, and show what then goes wrong. */
export const SETTLE_REFUNDS_GUARDS = { isNew: leadsTo(REFUND_TRANSITIONS, 'refund.status', 'said.status') };

/**
 * Takes over what the provider says of refunds. `$1` is an array of JSON: of each its place `n` in the order of arrival, the
 * refund, of which `attempt` it is said, the state it is in, its id there, and why it failed. A state that is known already
 * changes nothing; neither does the failure of a try before the last, nor the success of one whose money came back since. A
 * refund that has succeeded fails only by the word of the provider about the same refund there: its money came back.
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
        coalesce(said.provider_refund, refund.provider_refund, '') AS source,
        ${isNew} AND NOT is_over AND (said.status = 'succeeded'
          OR said.attempt = refund.attempt AND (refund.status <> 'succeeded' OR is_same)
        ) AS is_new, is_over, date_trunc('milliseconds', clock_timestamp()) AS at
      FROM said JOIN refund ON refund.id = said.id, LATERAL (
        SELECT coalesce(said.provider_refund = refund.provider_refund, false) AS is_same,
          coalesce(said.provider_refund = refund.returned_refund, false) AS is_over
      ) AS at_provider
      WHERE turn = 1
    ), changed AS (
      UPDATE refunds SET status = CASE WHEN is_new THEN news.status ELSE refunds.status END,
        provider_refund = coalesce(news.provider_refund, refunds.provider_refund),
        failure_code = CASE
          WHEN NOT is_new THEN refunds.failure_code
          WHEN news.status = 'failed' THEN coalesce(news.failure_code, 'failed')
        END,
        returned_refund = CASE WHEN is_new AND was = 'succeeded' THEN news.provider_refund ELSE refunds.returned_refund END,
        closed_at = CASE WHEN is_new THEN at ELSE refunds.closed_at END,
        ask_at = CASE WHEN NOT is_new THEN refunds.ask_at WHEN news.status = 'succeeded' THEN at + interval '1 day' END
      FROM news
      WHERE refunds.id = news.id AND (is_new
        OR NOT is_over AND refunds.attempt = news.attempt AND refunds.provider_refund IS DISTINCT FROM news.provider_refund)
      RETURNING news.n, refunds.status
    ), moved AS MATERIALIZED (
      SELECT news.*, CASE status WHEN 'succeeded' THEN amount ELSE -amount END AS given FROM news
      WHERE is_new AND (status = 'succeeded' OR was = 'succeeded')
    ), counted AS (
      UPDATE orders SET amount_refunded = amount_refunded + total.given
      FROM (SELECT order_id, sum(given) AS given FROM moved GROUP BY order_id) AS total
      WHERE orders.id = total.order_id
    ), entry AS (
      INSERT INTO ledger (order_id, payment_id, refund_id, kind, source, amount, currency, created_at)
      SELECT order_id, payment_id, id, CASE status WHEN 'succeeded' THEN 'refund' ELSE 'refund_failed' END, source, -given, currency, at
      FROM moved
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

/** The same for at most `$2` of those of the event `$1`, which is cancelled. */
export const RETRY_REFUNDS_OF_EVENT: Statement = {
  text: `
    WITH failed AS MATERIALIZED (
      SELECT id FROM refunds WHERE event_id = $1 AND status = 'failed'
      ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
    ), again AS (
      UPDATE refunds SET ${AGAIN} WHERE id = ANY (ARRAY(SELECT id FROM failed)) RETURNING id
    ), sending AS (
      ${addMessages(REFUND_TOPIC, `jsonb_build_object('refundId', id)`, 'again')}
    )
    SELECT id FROM again`,
};
