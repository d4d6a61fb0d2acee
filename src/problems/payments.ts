import type { ProblemKind } from './problem-kind';

/** Money: payments, refunds, and the events of payment providers. */
export const PAYMENTS_PROBLEMS = {
  payment_in_progress: {
    status: 409,
    title: 'Payment in progress',
    detail: 'A payment of this order is open at its provider, and could not be closed there',
    advice:
      'Try again in a moment: it ends by itself when the buyer pays, or at the latest soon after the hold.',
  },
  payment_provider_unavailable: {
    status: 503,
    title: 'Payment provider unavailable',
    detail: 'The payment provider can not be reached: no payment was begun',
    advice:
      'Pay again in a moment, while the order is held. Should money have been taken, it counts, or comes back.',
  },
  refund_exceeds_payment: {
    status: 409,
    title: 'Refund exceeds payment',
    detail: 'So much is not left of what was paid for this order',
    advice:
      'See `GET /orders/{code}/refunds`: what is pending or failed counts, too. Retry a failed refund with `POST /refunds/{refund_id}/retry`.',
  },
  refund_not_found: {
    status: 404,
    title: 'Refund not found',
    detail: 'Refund not found',
    advice: 'Check the id against `GET /orders/{code}/refunds`, and whose token you send.',
  },
  refund_not_retryable: {
    status: 409,
    title: 'Not retryable',
    detail: 'Only a refund that failed can be retried',
    advice: 'The `refund_status` of this problem says what it is. A `pending` one goes on by itself.',
  },
  event_not_authentic: {
    status: 400,
    title: 'Event not authentic',
    detail: 'The signature of this event is missing, wrong or too old',
    advice:
      'Only the payment provider sends events. If it is yours that are refused, compare its signing secret with the setting, and the clocks.',
  },
} as const satisfies Record<string, ProblemKind>;
