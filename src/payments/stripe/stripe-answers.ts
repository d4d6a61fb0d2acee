import type Stripe from 'stripe' with { 'resolution-mode': 'import' };
import { ourIdIn } from '../our-metadata';
import type { ProviderDispute, ProviderEvent, ProviderPayment, ProviderRefund } from '../payment-provider';
import { fromStripe } from './stripe-amounts';

/** Money that is authorised and not captured counts as on its way: we ask for automatic capture. */
const STATUSES: Partial<Record<Stripe.PaymentIntent.Status, ProviderPayment['status']>> = {
  requires_payment_method: 'requires_action',
  requires_confirmation: 'requires_action',
  requires_action: 'requires_action',
  processing: 'processing',
  requires_capture: 'processing',
  succeeded: 'succeeded',
  canceled: 'cancelled',
};

/** A payment in words of ours, but for its dispute, of which Stripe tells elsewhere. */
export function toPayment(intent: Stripe.PaymentIntent, installation: string): ProviderPayment {
  const { id, client_secret, last_payment_error, next_action } = intent;
  // After a try that failed Stripe waits for another, which would be a new payment here.
  const hasFailed = intent.status === 'requires_payment_method' && last_payment_error !== null;
  const status = hasFailed ? 'failed' : (STATUSES[intent.status] ?? 'processing');
  const charge = typeof intent.latest_charge === 'object' ? intent.latest_charge : null;
  const failureCode = last_payment_error?.decline_code ?? last_payment_error?.code;
  return {
    id,
    status,
    amount: fromStripe(status === 'succeeded' ? intent.amount_received : intent.amount, intent.currency),
    currency: intent.currency.toUpperCase(),
    paymentId: ourIdIn(intent.metadata, 'payment_id', installation),
    clientSecret: client_secret ?? undefined,
    redirectUrl: next_action?.redirect_to_url?.url ?? undefined,
    ...(charge && { refunded: fromStripe(charge.amount_refunded, intent.currency) }),
    failureCode: hasFailed ? (failureCode ?? 'payment_failed') : undefined,
  };
}

const REFUND_STATUSES: Record<string, ProviderRefund['status']> = {
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'failed',
};

export function toRefund(refund: Stripe.Refund, installation: string): ProviderRefund {
  const status = REFUND_STATUSES[refund.status ?? ''] ?? 'pending';
  return {
    id: refund.id,
    refundId: ourIdIn(refund.metadata, 'refund_id', installation),
    payment: idOf(refund.payment_intent) ?? '',
    status,
    amount: fromStripe(refund.amount, refund.currency),
    failureCode: status === 'failed' ? (refund.failure_reason ?? 'refund_failed') : undefined,
  };
}

/** `warning_…`: an inquiry before a dispute, which may become one. */
export function toDispute({ id, status, amount, currency }: Stripe.Dispute): ProviderDispute {
  const isWon = ['won', 'warning_closed', 'prevented'].includes(status);
  return {
    id,
    status: status === 'lost' ? 'lost' : isWon ? 'won' : 'open',
    amount: fromStripe(amount, currency),
  };
}

/** What an event is about: a payment itself, or a charge, a refund or a dispute that names one. */
export function toEvent({ id, type, data }: Stripe.Event, installation: string): ProviderEvent {
  const object = data.object as unknown as Partial<Record<string, unknown>>;
  const payment = object.object === 'payment_intent' ? object.id : object.payment_intent;
  return {
    id,
    payment: idOf(payment),
    paymentId: ourIdIn(object.metadata, 'payment_id', installation),
    isSuccess: type === 'payment_intent.succeeded',
    succeededRefundId:
      object.object === 'refund' && object.status === 'succeeded'
        ? ourIdIn(object.metadata, 'refund_id', installation)
        : undefined,
  };
}

/** Stripe names what belongs together by its id, or sends it along. */
function idOf(value: unknown): string | undefined {
  const id: unknown = typeof value === 'object' && value !== null && 'id' in value ? value.id : value;
  return typeof id === 'string' ? id : undefined;
}
