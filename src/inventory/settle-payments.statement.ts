import type { Statement } from '../database/statements';
import { addMessages } from '../jobs/outbox.service';
import { waitAtMost } from './lock-timeout';
import { DISPUTE_ENTRIES, JOIN_DISPUTES } from './disputes';
import { leadsTo, OPEN_PAYMENT, PAYMENT_TRANSITIONS } from './payment-states';

/** To which the outbox hands money that is to be given back. */
export const REFUND_TOPIC = 'refund.send';
/** To which it hands payments that failed here, and might be paid at their provider all the same. */
export const CANCEL_TOPIC = 'payment.cancel';
/** To which it hands orders about whose money a bank has decided: what it left, a cancelled event has to give back. Named as in messages that an older build has left. */
export const ENDED_DISPUTE_TOPIC = 'dispute.won';

/** What keeps money from being lost, or kept for nothing. Tests take a guard out, and show what then goes wrong. */
export const SETTLE_PAYMENTS_GUARDS = {
  /** Keeps orders and payments as they were read until the transaction ends. */
  lock: 'FOR UPDATE',
  isNew: leadsTo(PAYMENT_TRANSITIONS, 'payment.status', 'said.status'),
  isRight: 'said.amount = payment.amount AND said.currency = payment.currency',
  isFirst: `its_order.status NOT IN ('paid', 'refunded')`,
  isForSale: `event.status IS DISTINCT FROM 'cancelled'`,
  isWanted: `its_order.status <> 'cancelled'`,
  isToCome: 'event.end_time > clock.at',
  /** Decided under the lock of its places, where the event may have been cancelled a moment ago. */
  isOpen: 'NOT is_closed',
  /** All places of a hold that has ended, or none. */
  isFree: 'free >= number',
  /** What its user has bought or holds beside, since the hold ended. */
  isWithinLimit: 'ticket_limit IS NULL OR places_of_user(user_id, event_id) + places <= ticket_limit',
};

/**
 * Takes over what providers say of payments. `$1` is an array of JSON: of each its place `n` in the order of arrival, whose
 * (`provider`), the payment and its order, the provider's id of it, the state and the amount it is in, why it failed, what
 * was given back in all, the disputes about it, and the `event` that told of it. A state that is known already changes
 * nothing. `$2` are events whose counters are locked by somebody: their orders are left as they are, and the answer says so.
 * `$3` is how many milliseconds to wait for a lock.
 *
 * Money that was taken buys the places that the order holds, or those of a hold that has ended where all are free again.
 * Else it is given back in full, by a row and a message of the same transaction.
 *
 * Answers a row per request: the payment as it is then, whose `id` is null where it is unknown. `isLeft`: it was left as it
 * is, as another about the same order, or for the same free places, came before; it is to be asked for again.
 */
export const settlePayments = (guards = SETTLE_PAYMENTS_GUARDS): Statement => ({
  name: 'settle_payments',
  text: textOf(guards),
});

export const SETTLE_PAYMENTS = settlePayments();

function textOf(guards: typeof SETTLE_PAYMENTS_GUARDS): string {
  const { lock, isNew, isRight, isFirst, isForSale, isWanted, isToCome, isOpen, isFree, isWithinLimit } =
    guards;
  const isTaken = `said.status = 'succeeded' AND ${isNew}`;
  return `
    WITH ${waitAtMost('$3')}, said AS MATERIALIZED (
      -- As JSON, whose length no plan depends on: of arrays each length would be planned anew.
      SELECT r.*, r.word = 'succeeded' AS is_success, CASE r.word WHEN 'cancelled' THEN 'failed' ELSE r.word END AS status,
        row_number() OVER (PARTITION BY r.order_id ORDER BY r.n) AS turn
      FROM patience, json_to_recordset($1::json) AS r (n int, provider varchar, payment_id bigint, order_id bigint,
        provider_payment varchar, word varchar, amount bigint, currency varchar, failure_code varchar, refunded bigint, disputes jsonb, event varchar)
    ), its_order AS MATERIALIZED (
      SELECT id, user_id, status, event_id, places, expires_at, quota_ids, quota_numbers FROM orders
      WHERE id = ANY (ARRAY(SELECT order_id FROM said))
      ORDER BY id
      ${lock}
    ), payment AS MATERIALIZED (
      -- Locked after their orders, as each of their states is decided under that lock.
      SELECT payments.* FROM payments, (SELECT count(*) AS number FROM its_order) AS locked
      WHERE payments.id = ANY (ARRAY(SELECT payment_id FROM said)) AND locked.number > 0
      ORDER BY payments.id
      ${lock && `${lock} OF payments`}
    ), clock AS MATERIALIZED (
      SELECT date_trunc('milliseconds', clock_timestamp()) AS at FROM (SELECT count(*) FROM payment) AS locked
    ), known AS MATERIALIZED (
      SELECT said.n, said.provider, said.payment_id, said.order_id, said.provider_payment, said.word, said.status, said.amount,
        said.currency, said.failure_code, said.event, coalesce(said.refunded, payment.refunded) AS refunded, disputed.dispute, disputed.disputes, disputed.before, disputed.lost,
        disputed.dispute IS DISTINCT FROM payment.dispute AS is_disputed, payment.status AS was, payment.status IN ${OPEN_PAYMENT} AS was_open,
        -- It ended here, and may take money there: the one that began it was told that it failed.
        payment.status = 'failed' AND said.status IN ${OPEN_PAYMENT} AS is_forsaken,
        payment.amount AS asked, payment.currency AS asked_in, payment.failure_code AS failed_for, payment.reference,
        payment.created_at, payment.giving_back > 0 AS is_giving_back, its_order.status AS order_status, its_order.user_id,
        its_order.event_id, its_order.places, its_order.expires_at <= clock.at AS is_due, its_order.quota_ids, its_order.quota_numbers,
        event.ticket_limit, clock.at, ${isNew} AS is_new, ${isTaken} AS is_taken,
        CASE
          WHEN NOT (${isTaken}) THEN NULL
          WHEN NOT (${isRight}) THEN 'wrong_amount'
          WHEN NOT (${isFirst}) THEN 'second_payment'
          WHEN NOT coalesce(${isForSale}, false) THEN 'event_cancelled'
          WHEN NOT (${isWanted}) THEN 'order_cancelled'
          WHEN NOT coalesce(${isToCome}, false) THEN 'event_over'
        END AS objection
      FROM said
      JOIN payment ON payment.id = said.payment_id AND payment.provider = said.provider
        AND coalesce(payment.provider_payment, said.provider_payment) = said.provider_payment
      JOIN its_order ON its_order.id = payment.order_id
      CROSS JOIN clock
      ${JOIN_DISPUTES}
      LEFT JOIN LATERAL (
        SELECT status, end_time, max_tickets_per_user AS ticket_limit FROM events WHERE id = its_order.event_id AND said.is_success OFFSET 0
      ) AS event ON true
      WHERE turn = 1 AND its_order.event_id <> ALL ($2::bigint[])
    ), news AS MATERIALIZED (
      SELECT * FROM (
        -- Of those that need free places, one an event: what is left for the next shows when its places are taken.
        SELECT candidate.*, is_late AND row_number() OVER (PARTITION BY event_id, is_late ORDER BY n) > 1 AS is_left
        FROM (
          SELECT known.*, is_taken AND objection IS NULL AND (order_status <> 'held' OR is_due) AS is_late FROM known
        ) AS candidate
      ) AS turns
      WHERE NOT is_left
    ), place AS MATERIALIZED (
      SELECT n, order_status, quota_id, number FROM news, unnest(quota_ids, quota_numbers) AS place (quota_id, number)
      WHERE is_taken AND objection IS NULL
    ), quota AS MATERIALIZED (
      SELECT id, is_closed, capacity - held - sold AS free FROM quotas
      WHERE id = ANY (ARRAY(SELECT quota_id FROM place)) ORDER BY id FOR UPDATE
    ), found AS MATERIALIZED (
      SELECT place.n, bool_and(${isOpen}) AS is_open, bool_and(order_status = 'held' OR ${isFree}) AS is_free
      FROM place JOIN quota ON quota.id = place.quota_id GROUP BY place.n
    ), verdict AS MATERIALIZED (
      SELECT judged.*, is_taken AND cause IS NULL AS is_bought FROM (
        SELECT news.*, CASE
            WHEN NOT is_taken OR objection IS NOT NULL THEN objection
            WHEN NOT coalesce(is_open, false) THEN 'event_cancelled'
            WHEN NOT is_free THEN 'places_gone'
            WHEN is_late AND NOT (${isWithinLimit}) THEN 'ticket_limit_reached'
          END AS cause
        FROM news LEFT JOIN found ON found.n = news.n
      ) AS judged
    ), moved AS MATERIALIZED (
      SELECT move_places(array_agg(quota_id), array_agg(fewer_held), array_agg(more_sold)) FROM (
        SELECT quota_id, sum(CASE order_status WHEN 'held' THEN number ELSE 0 END)::int AS fewer_held, sum(number)::int AS more_sold
        FROM verdict, unnest(quota_ids, quota_numbers) AS place (quota_id, number)
        WHERE is_bought GROUP BY quota_id
      ) AS move
      HAVING count(*) > 0
    ), changed_order AS (
      UPDATE orders SET is_paying = orders.is_paying AND NOT was_open,
        amount_paid = orders.amount_paid + CASE WHEN is_taken THEN verdict.amount ELSE 0 END,
        status = CASE WHEN is_bought THEN 'paid' ELSE orders.status END,
        paid_at = CASE WHEN is_bought THEN verdict.at ELSE orders.paid_at END,
        network = CASE WHEN NOT is_bought THEN orders.network END
      FROM verdict, (SELECT count(*) FROM moved) AS sale
      WHERE orders.id = verdict.order_id AND is_new AND verdict.status IN ('succeeded', 'failed')
    ), changed AS (
      UPDATE payments SET provider_payment = verdict.provider_payment,
        status = CASE WHEN is_new THEN verdict.status ELSE payments.status END,
        failure_code = CASE
          WHEN NOT is_new THEN payments.failure_code
          WHEN verdict.status = 'failed' THEN coalesce(verdict.failure_code, word)
        END,
        taken = CASE WHEN is_taken THEN verdict.amount ELSE payments.taken END,
        giving_back = CASE WHEN cause IS NULL THEN payments.giving_back ELSE verdict.amount END,
        refunded = verdict.refunded,
        dispute = verdict.dispute,
        disputes = verdict.disputes,
        lost = verdict.lost,
        closed_at = CASE WHEN is_new AND verdict.status IN ('succeeded', 'failed') THEN verdict.at ELSE payments.closed_at END,
        ask_at = CASE
          WHEN is_forsaken THEN coalesce(payments.ask_at, verdict.at + interval '1 hour')
          -- Its end may take months, and the event of that may be lost.
          WHEN is_disputed AND verdict.dispute = 'open' THEN verdict.at + interval '1 day'
          WHEN NOT is_new THEN payments.ask_at
          WHEN verdict.status = 'failed' THEN verdict.at + interval '2 minutes'
          WHEN verdict.status <> 'succeeded' THEN payments.ask_at
        END
      FROM verdict
      WHERE payments.id = verdict.payment_id AND (is_new OR payments.provider_payment IS NULL OR is_forsaken AND payments.ask_at IS NULL
          OR (verdict.refunded, verdict.disputes) <> (payments.refunded, payments.disputes))
      RETURNING verdict.n, payments.status, payments.failure_code, payments.closed_at
    ), entry AS (
      INSERT INTO ledger (order_id, payment_id, kind, source, amount, currency, created_at)
      SELECT order_id, payment_id, kind, source, moved, currency, at
      FROM verdict, LATERAL (
        SELECT '' AS source, 'charge' AS kind, amount AS moved WHERE is_taken AND amount > 0
        UNION ALL ${DISPUTE_ENTRIES}
      ) AS entry
    ), refund AS (
      INSERT INTO refunds (order_id, event_id, payment_id, status, amount, currency, cause, created_at)
      SELECT order_id, event_id, payment_id, 'pending', amount, currency, cause, at
      FROM verdict WHERE cause IS NOT NULL AND amount > 0
      RETURNING id
    ), sending AS (
      ${addMessages(REFUND_TOPIC, `jsonb_build_object('refundId', id)`, 'refund')}
    ), cancelling AS (
      ${addMessages(CANCEL_TOPIC, `jsonb_build_object('paymentId', payment_id)`, `verdict WHERE is_new AND word = 'failed'`)}
    ), deciding AS (
      ${addMessages(ENDED_DISPUTE_TOPIC, `jsonb_build_object('orderId', order_id)`, `verdict WHERE is_disputed AND dispute IN ('won', 'lost')`)}
    ), fated AS (
      UPDATE tickets SET fate = CASE WHEN dispute <> 'won' THEN 'blocked' END
      FROM verdict
      WHERE tickets.order_id = verdict.order_id AND is_disputed
        AND CASE WHEN dispute = 'won' THEN fate = 'blocked' ELSE fate IS NULL END
        -- A payment that is given back by itself has bought nothing.
        AND cause IS NULL
        AND NOT EXISTS (
          SELECT FROM refunds
          WHERE refunds.order_id = verdict.order_id AND refunds.payment_id = verdict.payment_id
            AND refunds.cause NOT IN ('organizer', 'event_cancelled')
        )
    ), told AS (
      INSERT INTO provider_events (provider, event_id, payment_id)
      SELECT provider, event, payment_id FROM verdict WHERE event IS NOT NULL
      ON CONFLICT DO NOTHING
    )
    SELECT said.n, verdict.payment_id AS id, said.order_id AS "orderId", said.provider, said.provider_payment AS "providerPayment",
      coalesce(changed.status, was) AS status, asked AS amount, asked_in AS currency,
      CASE WHEN changed.n IS NULL THEN failed_for ELSE changed.failure_code END AS "failureCode", reference,
      created_at AS "createdAt", is_giving_back AS "isGivingBack", is_new AS "isNew", cause AS "refundCause",
      is_taken AND order_status <> 'held' AS "isLate", extract(epoch FROM changed.closed_at - created_at)::float8 AS seconds,
      verdict.n IS NULL AND (said.turn > 1 OR EXISTS (SELECT FROM known WHERE known.n = said.n)) AS "isLeft", locked.event_id AS "stuckEventId"
    FROM said
    LEFT JOIN verdict ON verdict.n = said.n
    LEFT JOIN changed ON changed.n = said.n
    LEFT JOIN its_order AS locked ON locked.id = said.order_id AND locked.event_id = ANY ($2::bigint[])
    ORDER BY said.n`;
}
