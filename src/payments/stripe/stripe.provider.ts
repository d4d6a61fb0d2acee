import { randomUUID } from 'node:crypto';
import type Stripe from 'stripe' with { 'resolution-mode': 'import' };
import {
  ForgedEvent,
  PaymentProvider,
  PROVIDER_TIMEOUT_MS,
  type ListedDispute,
  type PaymentRequest,
  type ProviderDispute,
  type ProviderEvent,
  type ProviderPayment,
  type ProviderRefund,
  type RefundRequest,
} from '../payment-provider';
import { toStripe } from './stripe-amounts';
import { toDispute, toEvent, toPayment, toRefund } from './stripe-answers';
import { paymentIn, toProviderError } from './stripe-errors';
import { oldestPage, PAGE } from './oldest-page';

export interface StripeOptions {
  secretKey: string;
  /** Each is good for events: two while they are exchanged. */
  webhookSecrets: string[];
  /** Another server than Stripe's. */
  apiBase?: string;
  /** Tells our payments from those of other installations with the same account. */
  installation: string;
}

/** An event that is older was sent before, and is sent again by somebody who kept it. */
const TOLERANCE_SECONDS = 300;
const MOST_REFUNDS = 1_000;
const MOST_DISPUTES = 1_000;

/** Stripe, with a PaymentIntent for each payment, whose money is captured at once. */
export class StripeProvider extends PaymentProvider {
  readonly name = 'stripe';

  private constructor(
    private readonly stripe: Stripe,
    private readonly options: StripeOptions,
  ) {
    super();
  }

  /** Loads the library, which takes memory that others need not spend. */
  static async create(options: StripeOptions): Promise<StripeProvider> {
    const { default: Library } = await import('stripe');
    const base = options.apiBase === undefined ? undefined : new URL(options.apiBase);
    const stripe = new Library(options.secretKey, {
      timeout: PROVIDER_TIMEOUT_MS,
      maxNetworkRetries: 0, // what must be repeated is repeated by our jobs
      telemetry: false,
      ...(base && {
        protocol: base.protocol === 'http:' ? 'http' : 'https',
        host: base.hostname,
        port: Number(base.port) || (base.protocol === 'http:' ? 80 : 443),
      }),
    });
    return new StripeProvider(stripe, options);
  }

  /** With a `method` Stripe tries at once; without one the buyer's browser does, with the `clientSecret`. */
  async create(request: PaymentRequest): Promise<ProviderPayment> {
    const { paymentId, orderCode, amount, currency, method, returnUrl } = request;
    const { installation } = this.options;
    const params: Stripe.PaymentIntentCreateParams = {
      amount: toStripe(amount, currency),
      currency: currency.toLowerCase(),
      capture_method: 'automatic',
      automatic_payment_methods: {
        enabled: true,
        ...(method !== undefined && returnUrl === undefined && { allow_redirects: 'never' }),
      },
      metadata: { installation, payment_id: String(paymentId), order_code: orderCode },
      ...(method !== undefined && { payment_method: method, confirm: true, return_url: returnUrl }),
    };
    const key = { idempotencyKey: `${installation}-payment-${paymentId}` };
    return await this.orPaymentOf(() => this.stripe.paymentIntents.create(params, key), 'failed');
  }

  async get(payment: string): Promise<ProviderPayment> {
    return await this.call(async () => {
      const intent = await this.stripe.paymentIntents.retrieve(payment, { expand: ['latest_charge'] });
      const { latest_charge: charge } = intent;
      const isDisputed = typeof charge === 'object' && charge?.disputed === true;
      return { ...this.toPayment(intent), ...(isDisputed && { disputes: await this.disputesOf(payment) }) };
    });
  }

  /** Each call has a key of its own: Stripe would answer a repeated one with a refusal that is out of date. */
  async cancel(payment: string): Promise<ProviderPayment> {
    const key = { idempotencyKey: `${this.options.installation}-cancel-${randomUUID()}` };
    return await this.orPaymentOf(
      () => this.stripe.paymentIntents.cancel(payment, {}, key),
      'succeeded',
      'cancelled',
    );
  }

  async refund({ refundId, attempt, payment, amount, currency }: RefundRequest): Promise<ProviderRefund> {
    const { installation } = this.options;
    const params: Stripe.RefundCreateParams = {
      payment_intent: payment,
      amount: toStripe(amount, currency),
      metadata: { installation, refund_id: String(refundId) },
    };
    const key = { idempotencyKey: `${installation}-refund-${refundId}-${attempt}` };
    return await this.call(async () => this.toRefund(await this.stripe.refunds.create(params, key)));
  }

  async refundsOf(payment: string): Promise<ProviderRefund[]> {
    return await this.call(async () => {
      const refunds = await this.stripe.refunds
        .list({ payment_intent: payment, limit: PAGE })
        .autoPagingToArray({ limit: MOST_REFUNDS });
      return refunds.map(this.toRefund).reverse();
    });
  }

  async listSince(since: Date, after?: string): Promise<{ payments: ProviderPayment[]; next?: string }> {
    return await this.call(async () => {
      const { data, hasMore } = await oldestPage(this.stripe, Math.floor(since.getTime() / 1_000), after);
      const payments = data.map(this.toPayment);
      const next = hasMore ? payments.at(-1)?.id : undefined;
      return { payments, ...(next !== undefined && { next }) };
    });
  }

  async disputesSince(since: Date): Promise<ListedDispute[]> {
    return await this.call(async () => {
      const created = { gte: Math.floor(since.getTime() / 1_000) };
      const disputes = await this.stripe.disputes
        .list({ created, limit: PAGE })
        .autoPagingToArray({ limit: MOST_DISPUTES });
      return disputes.flatMap(({ id, payment_intent: intent }) =>
        intent === null ? [] : [{ id, payment: typeof intent === 'string' ? intent : intent.id }],
      );
    });
  }

  readEvent(body: Buffer, headers: Record<string, string | string[] | undefined>): ProviderEvent {
    const signature = headers['stripe-signature'];
    for (const secret of this.options.webhookSecrets) {
      try {
        const event = this.stripe.webhooks.constructEvent(body, String(signature), secret, TOLERANCE_SECONDS);
        return toEvent(event, this.options.installation);
      } catch {
        // Signed with another secret, too old or forged.
      }
    }
    throw new ForgedEvent('The signature is not that of Stripe, or the event is too old');
  }

  private readonly toPayment = (intent: Stripe.PaymentIntent) => toPayment(intent, this.options.installation);
  private readonly toRefund = (refund: Stripe.Refund) => toRefund(refund, this.options.installation);

  /** Stripe lists the newest first. */
  private async disputesOf(payment: string): Promise<ProviderDispute[]> {
    const { data } = await this.stripe.disputes.list({ payment_intent: payment, limit: PAGE });
    return data.map(toDispute).reverse();
  }

  /** What comes with an error is the answer where it is in one of the states. */
  private async orPaymentOf(
    work: () => Promise<Stripe.PaymentIntent>,
    ...statuses: ProviderPayment['status'][]
  ): Promise<ProviderPayment> {
    return await this.call(async () => {
      try {
        return this.toPayment(await work());
      } catch (error) {
        const intent = paymentIn(error);
        const payment = intent && this.toPayment(intent);
        if (payment && statuses.includes(payment.status)) return payment;
        throw error;
      }
    });
  }

  private async call<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw toProviderError(error);
    }
  }
}
