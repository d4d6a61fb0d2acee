import { Inject, Injectable } from '@nestjs/common';
import type { Scope } from '../database/scope';
import type { KeyClaim } from '../idempotency/key-claim';
import { OrderCodes } from '../inventory/order-codes';
import { PaymentOpening } from '../inventory/payment-opening.service';
import { PaymentSettlement, type SettledPayment } from '../inventory/payment-settlement.service';
import { Problem } from '../problems/problem';
import {
  PaymentProvider,
  ProviderRefusal,
  ProviderUnavailable,
  type PaymentRequest,
  type ProviderPayment,
} from './payment-provider';
import {
  PaymentsRepository,
  type PaymentAtProvider,
  type PaymentView,
  type PaymentWish,
} from './payments.repository';

/** A payment, with what its buyer needs to go on with it. */
export type BuyersPayment = PaymentView & Pick<ProviderPayment, 'clientSecret' | 'redirectUrl'>;

/** An answer that was lost within this time is asked for once more. */
const QUICK_MS = 1_000;

/**
 * Payments at the provider that is configured. The row comes before the call, its id makes the call safe to repeat, and
 * whatever the provider says goes through `PaymentSettlement`. No call is made while a transaction is open.
 */
@Injectable()
export class ProviderPayments {
  constructor(
    @Inject(PaymentProvider) private readonly provider: PaymentProvider | undefined,
    private readonly repository: PaymentsRepository,
    private readonly opening: PaymentOpening,
    private readonly settlement: PaymentSettlement,
    private readonly codes: OrderCodes,
  ) {}

  /** The provider that takes money; undefined: none does. */
  get providerName(): string | undefined {
    return this.provider?.name;
  }

  /**
   * Begins a payment of an order, or goes on with the one that is open.
   *
   * @param claim the request's `Idempotency-Key`: the same request goes on with its own payment
   * @returns whether this request began it; undefined where the order costs nothing
   * @throws {Problem} `order_not_found`, `order_not_payable`, `payment_in_progress`, `payment_provider_unavailable`
   */
  async pay(
    orderId: number,
    scope: Scope,
    wish: PaymentWish,
    claim?: KeyClaim,
  ): Promise<{ payment: BuyersPayment; isNew: boolean } | undefined> {
    const { name } = this.configured();
    const own = claim && (await this.repository.findByRequest(orderId, claim));
    if (own) {
      claim.keepAnswer();
      return { payment: await this.goOnWith(own), isNew: true };
    }
    const begun = await this.opening.begin({
      orderId,
      scope,
      provider: name,
      ...wish,
      claim,
    });
    const { id, status, amount, paidAt, isFree } = begun;
    if (isFree) return undefined;
    // The answer is kept once it is there: it comes from elsewhere.
    claim?.keepAnswer();
    if (begun.orderId === null) throw new Problem('order_not_found');
    if (id !== null) {
      const payment: PaymentAtProvider = {
        id,
        orderId,
        provider: name,
        providerPayment: null,
        status: 'processing',
        amount,
        currency: begun.currency,
        method: begun.method,
        returnUrl: begun.returnUrl,
        expiresAt: begun.expiresAt,
        isEnding: false,
      };
      return { payment: await this.begin(payment), isNew: true };
    }
    // The provider is asked about the one that is open, and then places are sold or go back.
    if (begun.isPaying && begun.isDue)
      throw new Problem('payment_in_progress', { headers: { 'Retry-After': '1' } });
    const open = begun.isPaying ? await this.repository.findOpen(orderId) : undefined;
    if (open) return { payment: await this.goOnWith(open), isNew: false };
    const members = { order_status: status, ...(paidAt && { paid_at: paidAt }) };
    throw new Problem('order_not_payable', { members });
  }

  /**
   * Asks the provider how a payment stands, and takes its answer over. One that the provider may never have heard of is begun
   * there: what was asked for under its id before is not done twice.
   *
   * @throws {ProviderRefusal | ProviderUnavailable}
   */
  async ask(payment: PaymentAtProvider): Promise<SettledPayment & BuyersPayment> {
    const provider = this.providerOf(payment);
    const said =
      payment.providerPayment === null
        ? await provider.create(this.requestFor(payment))
        : await provider.get(payment.providerPayment);
    return await this.takeOver(payment, said);
  }

  /**
   * Has the provider end a payment, and takes over what became of it: it may have been paid before.
   *
   * @throws {ProviderRefusal | ProviderUnavailable}
   */
  async cancel(payment: PaymentAtProvider): Promise<SettledPayment> {
    const provider = this.providerOf(payment);
    const { providerPayment } = payment.providerPayment === null ? await this.ask(payment) : payment;
    return await this.takeOver(payment, await provider.cancel(providerPayment as string));
  }

  private async begin(payment: PaymentAtProvider): Promise<BuyersPayment> {
    try {
      return await this.takeOver(payment, await this.create(payment));
    } catch (error) {
      if (!(error instanceof ProviderRefusal || error instanceof ProviderUnavailable)) throw error;
      const code = error instanceof ProviderRefusal ? error.code : 'provider_unavailable';
      await this.repository.failUnanswered(payment.id, payment.orderId, code);
      const shown = await this.repository.show(payment.id);
      // An event may have told of it meanwhile.
      if (shown && (error instanceof ProviderRefusal || shown.failureCode !== code)) return shown;
      throw unavailable();
    }
  }

  /** Once more where the answer was lost: whatever was done by then is not done again. */
  private async create(payment: PaymentAtProvider): Promise<ProviderPayment> {
    const provider = this.providerOf(payment);
    const request = this.requestFor(payment);
    const begunAt = performance.now();
    try {
      return await provider.create(request);
    } catch (error) {
      if (!(error instanceof ProviderUnavailable) || performance.now() - begunAt > QUICK_MS) throw error;
      return await provider.create(request);
    }
  }

  private async goOnWith(payment: PaymentAtProvider): Promise<BuyersPayment> {
    try {
      return await this.ask(payment);
    } catch (error) {
      if (error instanceof ProviderUnavailable) throw unavailable();
      if (!(error instanceof ProviderRefusal)) throw error;
      await this.repository.failUnanswered(payment.id, payment.orderId, error.code);
      const shown = await this.repository.show(payment.id);
      if (!shown) throw error;
      return shown;
    }
  }

  private async takeOver(
    { id, orderId, provider }: PaymentAtProvider,
    said: ProviderPayment,
  ): Promise<SettledPayment & BuyersPayment> {
    const settled = await this.settlement.apply(provider, said, { paymentId: id, orderId });
    if (!settled) throw new Error(`Payment ${id} has another id at ${provider} than ${said.id}`);
    return { ...settled, clientSecret: said.clientSecret, redirectUrl: said.redirectUrl };
  }

  private requestFor(payment: PaymentAtProvider): PaymentRequest {
    return {
      paymentId: payment.id,
      orderCode: this.codes.codeOf(payment.orderId),
      amount: payment.amount,
      currency: payment.currency ?? '',
      expiresAt: payment.expiresAt,
      ...(payment.method !== null && { method: payment.method }),
      ...(payment.returnUrl !== null && { returnUrl: payment.returnUrl }),
    };
  }

  private configured(): PaymentProvider {
    if (!this.provider) throw new Problem('order_not_payable');
    return this.provider;
  }

  /** @throws {ProviderUnavailable} for a payment from before the provider was changed */
  private providerOf({ provider }: PaymentAtProvider): PaymentProvider {
    if (this.provider?.name !== provider) throw new ProviderUnavailable(`${provider} is not configured`);
    return this.provider;
  }
}

const unavailable = () => new Problem('payment_provider_unavailable', { headers: { 'Retry-After': '2' } });
