import { buyerThere, orderInScope, organizerThere } from '../database/scope';
import type { Statement } from '../database/statements';

const REFUND = `refunds.id, refunds.order_id AS "orderId", refunds.status, refunds.amount, refunds.currency, refunds.cause,
      refunds.reason, array_to_json(refunds.ticket_ids) AS "ticketIds", refunds.keep_places AS "keepPlaces",
      refunds.failure_code AS "failureCode", refunds.created_at AS "createdAt"`;

/** Of the order `$1`, if it is in the scope of `$2` to `$4`. */
export const LIST_REFUNDS: Statement = {
  text: `
    SELECT ${REFUND}
    FROM (SELECT ${buyerThere('$2::bigint', '$3::bigint')} AS id) AS caller
    JOIN orders ON orders.id = $1 AND ${orderInScope('caller.id', '$4::bool', 'orders')}
    JOIN refunds ON refunds.order_id = orders.id
    WHERE refunds.id < $5
    ORDER BY refunds.id DESC LIMIT $6`,
};

/** The refund `$1`, and what the caller `$2`, whose token is of `$3`, is to its order. */
export const FIND_REFUND: Statement = {
  name: 'find_refund',
  text: `
    SELECT ${REFUND}, orders.user_id = caller.id AS "isBuyers",
      $2::bigint IS NULL OR coalesce(events.organizer_id = caller.id, false) AS "isTheirs"
    FROM (SELECT ${organizerThere('$2::bigint', '$3::bigint')} AS id) AS caller
    JOIN refunds ON refunds.id = $1
    JOIN orders ON orders.id = refunds.order_id
    JOIN events ON events.id = orders.event_id`,
};

/** What it takes to have the provider give back the refund `$1`; old: providers may forget the key of a call to them. */
export const FIND_TO_SEND: Statement = {
  name: 'find_refund_to_send',
  text: `
    SELECT refunds.id, refunds.attempt, refunds.status, refunds.amount, refunds.currency, provider, provider_payment AS "providerPayment",
      provider_refund AS "providerRefund", refunds.created_at < now() - interval '12 hours' AS "isOld"
    FROM refunds JOIN payments ON payments.id = payment_id WHERE refunds.id = $1`,
};

/** Whether there may be news of a refund of the payment `$2` of the order `$1`: it is under way, or may still come back. */
export const FIND_UNSETTLED: Statement = {
  name: 'find_unsettled_refund',
  text: `SELECT FROM refunds WHERE order_id = $1 AND payment_id = $2 AND (status = 'pending' OR ask_at IS NOT NULL) LIMIT 1`,
};

/** Whether the event of the order `$1` is cancelled. */
export const FIND_CANCELLED_EVENT: Statement = {
  name: 'find_cancelled_event',
  text: `
    SELECT FROM orders JOIN events ON events.id = event_id WHERE orders.id = $1 AND events.status = 'cancelled'`,
};

/** Refunds at the provider `$1` that have been pending since before `$2` seconds, at most `$3` behind the id `$4`. */
export const FIND_OLD_PENDING: Statement = {
  text: `
    SELECT refunds.id, provider_payment AS "providerPayment"
    FROM refunds JOIN payments ON payments.id = payment_id
    WHERE refunds.status = 'pending' AND refunds.created_at < now() - make_interval(secs => $2::int) AND provider = $1
      AND refunds.id > $4 AND provider_refund IS NOT NULL
    ORDER BY refunds.id LIMIT $3`,
};

/**
 * Takes at most `$2` refunds at the provider `$1` that succeeded and may have come back since, which no event may have told,
 * and says when to ask again: at an age of 2, 4, 8, 16 and 32 days, as banks take up to 30.
 */
export const CLAIM_SUCCEEDED: Statement = {
  text: `
    WITH due AS MATERIALIZED (
      SELECT refunds.id, provider_payment FROM refunds JOIN payments ON payments.id = payment_id
      WHERE refunds.ask_at <= now() AND provider = $1
      ORDER BY refunds.ask_at LIMIT $2 FOR UPDATE OF refunds SKIP LOCKED
    )
    UPDATE refunds SET ask_at = CASE WHEN closed_at > now() - interval '20 days' THEN now() + (now() - closed_at) END
    FROM due WHERE refunds.id = due.id
    RETURNING provider_payment AS "providerPayment"`,
};
