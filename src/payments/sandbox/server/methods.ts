/** What becomes of a payment, as its `method` says. */
export interface Method {
  status: 'succeeded' | 'failed' | 'processing' | 'requires_action';
  failureCode?: string;
  /** It succeeds so long after it was made. */
  succeedsAfterMs?: number;
  /** It succeeds so long after the hold has ended, cancelled or not. */
  succeedsAfterHoldMs?: number;
  /** The amount that is taken instead of the one that was asked for. */
  takes?: (amount: number) => number;
  /** The money is taken, and the connection is cut. */
  losesAnswer?: boolean;
  events?: 'twice' | 'reordered' | 'before the answer';
  disputed?: boolean;
}

export const METHODS: Readonly<Record<string, Method>> = {
  ok: { status: 'succeeded' },
  declined: { status: 'failed', failureCode: 'card_declined' },
  requires_action: { status: 'requires_action' },
  slow: { status: 'processing', succeedsAfterMs: 2_000 },
  answer_lost: { status: 'succeeded', losesAnswer: true },
  event_twice: { status: 'succeeded', events: 'twice' },
  events_reordered: { status: 'succeeded', events: 'reordered' },
  event_before_answer: { status: 'succeeded', events: 'before the answer' },
  wrong_amount: { status: 'succeeded', takes: (amount) => (amount > 1 ? amount - 1 : 2) },
  late: { status: 'processing', succeedsAfterHoldMs: 1_000 },
  refund_fails: { status: 'succeeded' },
  refund_returns: { status: 'succeeded' },
  dispute: { status: 'succeeded', disputed: true },
};
