import type { Statement } from '../database/statements';
import { OWED_REFUND } from '../inventory/payment-states';
import type { ListedDispute, ProviderPayment } from './payment-provider';

/** Something in which the provider and we do not agree, and which does not mend itself. */
export interface Difference {
  kind:
    | 'unknown_here'
    | 'another_payment'
    | 'amount_differs'
    | 'payment_open'
    | 'refund_failed'
    | 'refund_pending'
    | 'refund_unknown';
  /** Our id of the payment, or of the refund. */
  id: number;
  /** The provider's id of the payment. */
  payment: string | null;
}

/** A payment that the provider lists, beside ours. */
export interface Compared {
  payment: string;
  paymentId: number;
  /** `differs`, `refund_unknown`: the provider is to be asked, for both may be on their way. */
  verdict: Exclude<Difference['kind'], 'payment_open' | 'refund_failed' | 'refund_pending'> | 'differs';
}

/**
 * Of the payments `$2` at the provider `$1`, ours by `$3`, in the states `$4` with the amounts `$5`, of which `$6` were given back:
 * those that are not as ours.
 */
export const COMPARE_PAYMENTS: Statement = {
  name: 'compare_payments',
  text: `
    SELECT listed.payment, listed.id AS "paymentId", CASE
        WHEN payments.id IS NULL THEN 'unknown_here'
        WHEN provider_payment <> listed.payment THEN 'another_payment'
        WHEN payments.status = listed.status AND listed.status = 'succeeded' AND taken <> listed.amount THEN 'amount_differs'
        WHEN payments.status = listed.status AND listed.status = 'succeeded' THEN 'refund_unknown'
        ELSE 'differs'
      END AS verdict
    FROM unnest($2::varchar[], $3::bigint[], $4::varchar[], $5::bigint[], $6::bigint[]) AS listed (payment, id, status, amount, refunded)
    LEFT JOIN payments ON payments.id = listed.id AND provider = $1::varchar
    WHERE payments.id IS NULL OR provider_payment IS DISTINCT FROM listed.payment
      OR payments.status <> listed.status OR listed.status = 'succeeded' AND (taken <> listed.amount OR giving_back < listed.refunded)`,
};

/** The values of `COMPARE_PAYMENTS`. */
export const valuesToCompare = (provider: string, ours: readonly ProviderPayment[]) => [
  provider,
  ours.map(({ id }) => id),
  ours.map(({ paymentId }) => paymentId),
  ours.map(({ status }) => (status === 'cancelled' ? 'failed' : status)),
  ours.map(({ amount }) => amount),
  ours.map(({ refunded }) => refunded ?? 0),
];

/** Of the disputes `$3` about the payments `$2` at the provider `$1`: the payments whose disputes we do not know. */
export const FIND_UNKNOWN_DISPUTES: Statement = {
  text: `
    SELECT DISTINCT listed.payment, payments.id AS "paymentId"
    FROM unnest($2::varchar[], $3::varchar[]) AS listed (payment, dispute)
    JOIN payments ON provider_payment = listed.payment AND provider = $1::varchar
    WHERE NOT disputes ? listed.dispute`,
};

/** The values of `FIND_UNKNOWN_DISPUTES`. */
export const valuesOfDisputes = (provider: string, disputes: readonly ListedDispute[]) => [
  provider,
  disputes.map(({ payment }) => payment),
  disputes.map(({ id }) => id),
];

/**
 * Finds payments and refunds that are open for too long, and money that somebody else gave back, at most `$2` of each kind;
 * `$1` is the provider.
 */
export const FIND_OVERDUE: Statement = {
  text: `
    (
      SELECT 'payment_open' AS kind, payments.id, provider_payment AS payment
      FROM payments JOIN orders ON orders.id = order_id
      WHERE payments.ask_at IS NOT NULL AND payments.status IN ('requires_action', 'processing') AND provider = $1
        AND orders.expires_at < now() - interval '10 minutes'
      ORDER BY payments.id LIMIT $2
    )
    UNION ALL
    (
      SELECT 'refund_unknown', id, provider_payment FROM payments WHERE refunded > giving_back AND provider = $1 ORDER BY id LIMIT $2
    )
    UNION ALL
    (
      SELECT CASE refunds.status WHEN 'failed' THEN 'refund_failed' ELSE 'refund_pending' END, refunds.id, provider_payment
      FROM refunds JOIN payments ON payments.id = payment_id
      WHERE ${OWED_REFUND} OR refunds.status = 'pending' AND refunds.created_at < now() - interval '1 hour'
      ORDER BY refunds.created_at LIMIT $2
    )`,
};

/** How long a walk may pause before another process goes on with it: longer than a page takes. */
const LEASE = `interval '40 seconds'`;

/** Takes the walk through the payments of the provider `$1`, where none was within the lease: where it goes on, and since when. */
export const CLAIM_WALK: Statement = {
  text: `
    INSERT INTO reconciliations (provider, walked_until, walked_at, begun_at)
    VALUES ($1::varchar, CASE
        -- Only the first walk looks for the first payment, which reads them all.
        WHEN EXISTS (SELECT FROM reconciliations WHERE provider = $1) THEN now()
        ELSE coalesce((SELECT min(created_at) FROM payments WHERE provider = $1), now())
      END, now(), now())
    ON CONFLICT (provider) DO UPDATE SET walked_at = now(), begun_at = coalesce(reconciliations.begun_at, now())
    WHERE reconciliations.walked_at < now() - ${LEASE}
    RETURNING walked_until - interval '5 minutes' AS since, cursor`,
};

/** Remembers that the walk of the provider `$1` has come to the payment `$2`. */
export const NOTE_PAGE: Statement = {
  text: 'UPDATE reconciliations SET cursor = $2, walked_at = now() WHERE provider = $1',
};

/** The walk of the provider `$1` is complete, and left the differences `$2`. */
export const END_WALK: Statement = {
  text: `
    UPDATE reconciliations SET walked_until = coalesce(begun_at, walked_until), begun_at = NULL, cursor = NULL, walked_at = now(),
      differences = $2::jsonb
    WHERE provider = $1`,
};

/** Providers send an event again for some days. */
export const FORGET_EVENTS: Statement = {
  text: `
    DELETE FROM provider_events WHERE (provider, event_id) IN (
      SELECT provider, event_id FROM provider_events WHERE received_at < now() - interval '30 days' LIMIT 1000
    )`,
};

/** The differences that the last walks left, of all providers. */
export const FIND_DIFFERENCES: Statement = {
  text: 'SELECT provider, walked_at AS "walkedAt", differences FROM reconciliations ORDER BY provider',
};
