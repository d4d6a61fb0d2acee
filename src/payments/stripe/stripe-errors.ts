import type Stripe from 'stripe' with { 'resolution-mode': 'import' };
import { ProviderRefusal, ProviderUnavailable } from '../payment-provider';

/** The library's names of what Stripe refuses for good. */
const REFUSALS = ['StripeCardError', 'StripeInvalidRequestError', 'StripeIdempotencyError'];
/** Refused for now: another call with the same key, or on the same payment, is under way. */
const PASSING = ['idempotency_key_in_use', 'lock_timeout', 'rate_limit'];

/**
 * The error in words of ours. Stripe's own text is left out: it may quote what was sent, down to parts of the key.
 *
 * @returns a ProviderRefusal or a ProviderUnavailable
 */
export function toProviderError(error: unknown): Error {
  const { type, code, statusCode, requestId } = Object(error) as Partial<Stripe.errors.StripeError>;
  if (type === undefined) return new ProviderUnavailable('The answer of Stripe could not be read');
  const about = [code ?? type, statusCode, requestId].filter(Boolean).join(', ');
  if (REFUSALS.includes(type) && !PASSING.includes(code ?? ''))
    return new ProviderRefusal(code ?? 'refused', `Stripe refuses this (${about})`);
  if (type === 'StripeAuthenticationError' || type === 'StripePermissionError')
    return new ProviderUnavailable(`Stripe does not accept STRIPE_SECRET_KEY (${about})`);
  return new ProviderUnavailable(`Stripe is out of reach (${about})`);
}

/** The payment that an error tells about: one whose card was declined, or that can't be cancelled any more. */
export const paymentIn = (error: unknown) =>
  (Object(error) as { payment_intent?: Stripe.PaymentIntent }).payment_intent;
