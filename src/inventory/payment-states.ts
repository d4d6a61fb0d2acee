/** What may become of what, a line a state; from a state that has none nothing leads on. */
type Transitions<State extends string> = Readonly<Record<State, readonly State[]>>;

export const PAYMENT_STATUSES = ['requires_action', 'processing', 'succeeded', 'failed'] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** SQL: the states in which the provider may still take money. An order has one such payment at most. */
export const OPEN_PAYMENT = `('requires_action', 'processing')`;

/** Of a payment or a refund; longer ones are cut. */
export const LONGEST_FAILURE_CODE = 100;

export const PAYMENT_TRANSITIONS: Transitions<PaymentStatus> = {
  processing: ['requires_action', 'succeeded', 'failed'],
  requires_action: ['processing', 'succeeded', 'failed'],
  // Money that comes all the same: it is there, whatever was said before.
  failed: ['succeeded'],
  succeeded: [],
};

export const REFUND_STATUSES = ['pending', 'succeeded', 'failed'] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

export const REFUND_TRANSITIONS: Transitions<RefundStatus> = {
  pending: ['succeeded', 'failed'],
  // By a retry, or where the provider thinks better of it.
  failed: ['pending', 'succeeded'],
  // Days later, where the buyer's bank did not take the money.
  succeeded: ['failed'],
};

/**
 * SQL: a refund that failed, beside its payment, and is still owed. Where a dispute was lost that came after it, the bank gave the
 * buyer the money; one that was begun after the dispute is of what the bank had left.
 */
export const OWED_REFUND = `refunds.status = 'failed' AND (refunds.amount > payments.lost OR NOT EXISTS (
    SELECT FROM ledger
    WHERE ledger.payment_id = payments.id AND ledger.refund_id IS NULL AND ledger.kind = 'dispute' AND ledger.created_at >= refunds.created_at
  ))`;

/** Of one dispute. A payment may have several, one after the other. */
export type DisputeStatus = 'none' | 'open' | 'won' | 'lost';

export const DISPUTE_TRANSITIONS: Transitions<DisputeStatus> = {
  none: ['open', 'won', 'lost'],
  open: ['won', 'lost'],
  won: [],
  lost: [],
};

/** SQL: whether one state leads to the other. */
export function leadsTo<State extends string>(
  transitions: Transitions<State>,
  from: string,
  to: string,
): string {
  const pairs = Object.entries<readonly string[]>(transitions).flatMap(([state, next]) =>
    next.map((other) => `('${state}', '${other}')`),
  );
  return `(${from}, ${to}) IN (${pairs.join(', ')})`;
}

/** Why money is given back: by its organizer, or by itself. */
export const REFUND_CAUSES = [
  'organizer',
  'places_gone',
  'second_payment',
  'wrong_amount',
  'order_cancelled',
  'event_cancelled',
  'event_over',
  'ticket_limit_reached',
] as const;
export type RefundCause = (typeof REFUND_CAUSES)[number];
