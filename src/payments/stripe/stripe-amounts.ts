import { ProviderRefusal } from '../payment-provider';

/**
 * Currencies whose smallest unit is the whole, as ISO 4217 has it, and of which Stripe counts hundredths all the same
 * (docs.stripe.com/currencies, special cases).
 */
const IN_HUNDREDTHS = new Set(['ISK', 'UGX']);
/** Currencies that have hundredths in ISO 4217, and of which Stripe counts wholes. */
const IN_WHOLES = new Set(['MGA']);
/** Currencies with thousandths, of which Stripe takes tens. */
const IN_TENS = new Set(['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND']);

const isIn = (currencies: ReadonlySet<string>, currency: string) => currencies.has(currency.toUpperCase());

/**
 * @param amount in the minor unit of the currency
 * @throws {ProviderRefusal} for one that Stripe can't take or give back
 */
export function toStripe(amount: number, currency: string): number {
  if (isIn(IN_HUNDREDTHS, currency)) return amount * 100;
  const step = isIn(IN_WHOLES, currency) ? 100 : isIn(IN_TENS, currency) ? 10 : 1;
  if (amount % step !== 0)
    throw new ProviderRefusal('amount_not_payable', `Stripe takes ${currency} in steps of ${step}`);
  return isIn(IN_WHOLES, currency) ? amount / 100 : amount;
}

/** @returns the amount in the minor unit of the currency; of what is left below it nothing is ours */
export function fromStripe(amount: number, currency: string): number {
  if (isIn(IN_WHOLES, currency)) return amount * 100;
  return isIn(IN_HUNDREDTHS, currency) ? Math.floor(amount / 100) : amount;
}
