import { Injectable } from '@nestjs/common';
import { Statements } from '../database/statements';
import { WakeUpSender } from '../queue/wake-up-sender';
import { settledPayments } from '../telemetry/channels';
import type { PaymentStatus, RefundCause } from './payment-states';
import { SETTLE_PAYMENT } from './settle-payment.statement';

export { CANCEL_TOPIC } from './settle-payment.statement';

/** What a provider says of a payment now. */
export interface PaymentNews {
  /** The provider's id. */
  id: string;
  /** Ours, where the provider kept it. */
  paymentId?: number;
  /** `cancelled`: it took no money, and never will. */
  status: PaymentStatus | 'cancelled';
  /** What was taken, or is asked for; in the minor unit of the currency. */
  amount: number;
  currency: string;
  failureCode?: string;
  dispute?: 'open' | 'won' | 'lost';
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

/**
 * The one way by which money comes to an order: an answer of the provider, an event of it, and the reconciliation all lead
 * here, in any order and any number of times.
 */
@Injectable()
export class PaymentSettlement {
  constructor(
    private readonly statements: Statements,
    private readonly wakeUps: WakeUpSender,
  ) {}

  /**
   * Takes over what the provider says, in one transaction with all that follows from it.
   *
   * @param eventId the provider's event that told of it
   * @returns undefined for a payment that is unknown here
   */
  async apply(provider: string, news: PaymentNews, eventId?: string): Promise<SettledPayment | undefined> {
    const [payment] = await this.statements.run<SettledPayment>(SETTLE_PAYMENT, [
      provider,
      news.id,
      news.paymentId ?? null,
      news.status,
      news.amount,
      news.currency,
      news.failureCode ?? null,
      news.dispute ?? null,
      eventId ?? null,
    ]);
    if (payment?.isNew) {
      settledPayments.publish(payment);
      if (payment.refundCause !== null || payment.status === 'failed') this.wakeUps.wakeRelay();
    }
    return payment;
  }
}
