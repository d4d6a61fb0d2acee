import type { Statement } from '../database/statements';
import { addMessages } from '../jobs/outbox.service';
import { leadsTo, REFUND_TRANSITIONS } from './payment-states';
import { REFUND_TOPIC } from './settle-payments.statement';

/** What keeps a refund from being counted twice. Tests take a guard out, and show what then goes wrong. */
export const SETTLE_REFUND_GUARDS = { isNew: leadsTo(REFUND_TRANSITIONS, 'refund.status', '$3::varchar') };

/**
 * Takes over what the provider says of the try `$2` of the refund `$1`: it is in the state `$3`, has the id `$4` there, and
 * failed for `$5`. What is known already changes nothing; neither does the failure of a try before the last.
 *
 * Answers the refund as it is then.
 */
export const settleRefund = ({ isNew } = SETTLE_REFUND_GUARDS): Statement => ({
  name: 'settle_refund',
  text: `
    WITH known AS MATERIALIZED (
      SELECT id, order_id FROM refunds WHERE id = $1
    ), its_order AS MATERIALIZED (
      SELECT id FROM orders WHERE id = (SELECT order_id FROM known) FOR UPDATE
    ), refund AS MATERIALIZED (
      -- Locked after its order, as each of its states is decided under that lock.
      SELECT refunds.* FROM refunds, (SELECT count(*) AS number FROM its_order) AS locked
      WHERE refunds.id = $1 AND locked.number > 0
      FOR UPDATE OF refunds
    ), news AS MATERIALIZED (
      SELECT refund.*, ${isNew} AND ($3 = 'succeeded' OR attempt = $2::int) AS is_new,
        date_trunc('milliseconds', clock_timestamp()) AS at
      FROM refund
    ), changed AS (
      UPDATE refunds SET status = CASE WHEN is_new THEN $3 ELSE refunds.status END, provider_refund = coalesce($4::varchar, refunds.provider_refund),
        failure_code = CASE WHEN NOT is_new THEN refunds.failure_code WHEN $3 = 'failed' THEN coalesce($5::varchar, 'failed') END,
        closed_at = CASE WHEN is_new THEN at ELSE refunds.closed_at END
      FROM news
      WHERE refunds.id = news.id AND (is_new OR refunds.attempt = $2 AND refunds.provider_refund IS DISTINCT FROM $4)
      RETURNING refunds.id, refunds.status
    ), counted AS (
      UPDATE orders SET amount_refunded = amount_refunded + amount FROM news
      WHERE orders.id = news.order_id AND is_new AND $3 = 'succeeded'
    ), entry AS (
      INSERT INTO ledger (order_id, payment_id, refund_id, kind, amount, currency, created_at)
      SELECT order_id, payment_id, id, 'refund', -amount, currency, at FROM news WHERE is_new AND $3 = 'succeeded'
    )
    SELECT refund.id, coalesce(changed.status, refund.status) AS status, is_new AS "isNew"
    FROM refund CROSS JOIN news LEFT JOIN changed ON true`,
});

export const SETTLE_REFUND = settleRefund();

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
