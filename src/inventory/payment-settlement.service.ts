import { Injectable } from '@nestjs/common';
import { createBatcher } from '../database/batcher';
import { Statements } from '../database/statements';
import { WakeUpSender } from '../queue/wake-up-sender';
import { settledPayments } from '../telemetry/channels';
import { LONGEST_FAILURE_CODE, type PaymentStatus, type RefundCause } from './payment-states';
import type { DisputeNews } from './disputes';
import { FIND_PAYMENTS } from './find-payments.statement';
import { createOrderBatcher } from './order-batches';
import { BATCH } from './retry-without-stuck-rows';
import { SETTLE_PAYMENTS } from './settle-payments.statement';
import { StuckRows } from './stuck-rows';

export { CANCEL_TOPIC, ENDED_DISPUTE_TOPIC } from './settle-payments.statement';

/** What a provider says of a payment now. */
export interface PaymentNews {
  /** The provider's id. */
  id: string;
  /** `cancelled`: it took no money, and never will. */
  status: PaymentStatus | 'cancelled';
  /** What was taken, or is asked for; in the minor unit of the currency. */
  amount: number;
  currency: string;
  failureCode?: string;
  /** What was given back in all, by us or in the provider's dashboard. */
  refunded?: number;
  /** All of them, the oldest first. */
  disputes?: DisputeNews[];
}

export interface SettledPayment {
  id: number;
  orderId: number;
  provider: string;
  providerPayment: string;
  status: PaymentStatus;
  /** What was asked for. */
  amount: number;
  currency: string | null;
  failureCode: string | null;
  reference: string | null;
  createdAt: Date;
  /** Some of it was given back before, or is to be. */
  isGivingBack: boolean;
  /** It was not known before. */
  isNew: boolean;
  /** Why what was taken is given back. */
  refundCause: RefundCause | null;
  /** Its money came after the hold had ended. */
  isLate: boolean;
  /** From its beginning to its end, where that is news. */
  seconds: number | null;
}

/** What a provider speaks of. */
interface PaymentName {
  provider: string;
  /** The provider's id of the payment. */
  providerPayment: string;
  /** Ours, where the provider kept it. */
  paymentId?: number;
  /** The provider's event that tells of it. */
  eventId?: string;
  /** It tells of nothing but that the money was taken. */
  isSuccess?: boolean;
  /** It tells of nothing but that this refund succeeded. */
  succeededRefundId?: number;
}

/** `id` and `orderId` are null for a payment that is unknown here. */
export interface FoundPayment {
  id: number | null;
  orderId: number | null;
  /** Some of it was given back before, or is to be. */
  isGivingBack: boolean;
  /** All that is told is known already. */
  isKnown: boolean;
}

interface SettleRequest {
  provider: string;
  paymentId: number;
  orderId: number;
  news: PaymentNews;
  eventId?: string;
  ticketId?: undefined;
}

type Answer = (SettledPayment | { id: null; isNew: null }) & { isLeft: boolean; stuckEventId: number | null };

/**
 * The one way by which money comes to an order: an answer of the provider, an event of it, and the reconciliation all lead
 * here, in any order and any number of times. Concurrent calls share statements.
 */
@Injectable()
export class PaymentSettlement {
  /**
   * @returns which payment a provider speaks of; a payment is never another's, and stays with its order
   */
  readonly find: (name: PaymentName) => Promise<FoundPayment>;
  private readonly settle: (request: SettleRequest) => Promise<Answer>;

  constructor(
    private readonly statements: Statements,
    private readonly wakeUps: WakeUpSender,
    stuck: StuckRows,
  ) {
    this.find = createBatcher<PaymentName, FoundPayment>((names) => this.findAll(names), BATCH);
    this.settle = createOrderBatcher<SettleRequest, Answer, Answer>(stuck, {
      name: 'settle_payments',
      run: (requests, stuckEventIds, patienceMs) => this.settleAll(requests, stuckEventIds, patienceMs),
      outcomeOf: (answer) => answer,
    });
  }

  /**
   * Takes over what the provider says, in one transaction with all that follows from it.
   *
   * @param paymentId our id of the payment, where the provider kept it
   * @param orderId the payment's order, where the caller knows both
   * @param eventId the provider's event that told of it
   * @returns undefined for a payment that is unknown here
   */
  async apply(
    provider: string,
    news: PaymentNews,
    { paymentId, orderId, eventId }: { paymentId?: number; orderId?: number; eventId?: string },
  ): Promise<SettledPayment | undefined> {
    const { id, orderId: order } =
      paymentId !== undefined && orderId !== undefined
        ? { id: paymentId, orderId }
        : await this.find({ provider, providerPayment: news.id, paymentId });
    if (id === null || order === null) return undefined;
    const request = { provider, paymentId: id, orderId: order, news, eventId };
    let payment = await this.settle(request);
    while (payment.isLeft) payment = await this.settle(request);
    if (payment.id === null) return undefined;
    if (payment.isNew) {
      settledPayments.publish(payment);
      if (payment.refundCause !== null || payment.status === 'failed') this.wakeUps.wakeRelay();
    }
    return payment;
  }

  private async findAll(names: readonly PaymentName[]): Promise<FoundPayment[]> {
    const asked = names.map(
      ({ provider, providerPayment, paymentId, eventId, isSuccess, succeededRefundId }, i) => ({
        n: i + 1,
        provider,
        provider_payment: providerPayment,
        payment_id: paymentId,
        event: eventId,
        is_success: isSuccess,
        refund_id: succeededRefundId,
      }),
    );
    return await this.statements.run<FoundPayment & object>(FIND_PAYMENTS, [JSON.stringify(asked)]);
  }

  private async settleAll(
    requests: readonly SettleRequest[],
    stuckEventIds: number[],
    patienceMs: number,
  ): Promise<Answer[]> {
    const said = JSON.stringify(requests.map(rowOf));
    return await this.statements.run<Answer>(SETTLE_PAYMENTS, [said, stuckEventIds, patienceMs]);
  }
}

const rowOf = ({ provider, paymentId, orderId, news, eventId }: SettleRequest, i: number) => ({
  n: i + 1,
  provider,
  payment_id: paymentId,
  order_id: orderId,
  provider_payment: news.id,
  word: news.status,
  amount: news.amount,
  currency: news.currency,
  failure_code: news.failureCode?.slice(0, LONGEST_FAILURE_CODE),
  refunded: news.refunded,
  disputes: news.disputes,
  event: eventId,
});
