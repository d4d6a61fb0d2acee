import { ValidateBy } from 'class-validator';
import { listIn, Parsed } from './setting-types';

interface PaymentSettings {
  NODE_ENV: 'development' | 'test' | 'production';
  PAYMENT_PROVIDER?: 'none' | 'sandbox' | 'stripe';
  STRIPE_SECRET_KEY?: string;
  STRIPE_WEBHOOK_SECRET?: string[];
  SANDBOX_URL?: string;
  SANDBOX_SECRET?: string;
}

/** The provider that takes the money: the sandbox takes none, so in production another has to be named. */
export const paymentProviderOf = ({ PAYMENT_PROVIDER, NODE_ENV }: PaymentSettings) =>
  PAYMENT_PROVIDER ?? (NODE_ENV === 'production' ? 'none' : 'sandbox');

/** Whether the API serves the sandbox itself. */
export const servesSandbox = (settings: PaymentSettings) =>
  paymentProviderOf(settings) === 'sandbox' && settings.SANDBOX_URL === undefined;

export function NoSandboxInProduction(): PropertyDecorator {
  return check(
    'sandbox-in-production',
    ({ PAYMENT_PROVIDER, NODE_ENV }) => !(PAYMENT_PROVIDER === 'sandbox' && NODE_ENV === 'production'),
    'must not be sandbox in production, where tickets would be given away for no money: set it to stripe or none',
  );
}

export function WithItsKeys(): PropertyDecorator {
  return check(
    'stripe-keys',
    ({ PAYMENT_PROVIDER, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET }) =>
      PAYMENT_PROVIDER !== 'stripe' ||
      (STRIPE_SECRET_KEY !== undefined && STRIPE_WEBHOOK_SECRET !== undefined),
    'must not be stripe without STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET: set both, as Stripe shows them under ' +
      'Developers',
  );
}

export function WithItsSecret(): PropertyDecorator {
  return check(
    'sandbox-secret',
    ({ SANDBOX_SECRET }) => SANDBOX_SECRET !== undefined,
    'must not be set without SANDBOX_SECRET: set it to that of the sandbox',
  );
}

/** Stripe's `whsec_…`, of which an endpoint has two while they are exchanged. */
export function WebhookSecrets(): PropertyDecorator {
  return Parsed(
    listIn,
    (value) => Array.isArray(value) && value.every((secret) => /^whsec_[!-~]{16,}$/.test(String(secret))),
    "must be secrets of Stripe's webhook endpoints, such as whsec_…, separated by commas",
  );
}

function check(
  name: string,
  isFine: (settings: PaymentSettings) => boolean,
  message: string,
): PropertyDecorator {
  return ValidateBy({
    name,
    validator: {
      validate: (_value, args) => isFine(args?.object as PaymentSettings),
      defaultMessage: () => message,
    },
  });
}
