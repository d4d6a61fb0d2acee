/**
 * Currencies whose smallest unit is the whole, as ISO 4217 has it, and of which Stripe counts hundredths all the same
 * (docs.stripe.com/currencies, special cases).
 */
const IN_HUNDREDTHS = new Set(['ISK', 'UGX']);

const factorOf = (currency: string) => (IN_HUNDREDTHS.has(currency.toUpperCase()) ? 100 : 1);

/** @param amount in the minor unit of the currency */
export const toStripe = (amount: number, currency: string) => amount * factorOf(currency);

/** @returns the amount in the minor unit of the currency; of what is left below it nothing is ours */
export const fromStripe = (amount: number, currency: string) => Math.floor(amount / factorOf(currency));
