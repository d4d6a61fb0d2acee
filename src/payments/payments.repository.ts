import { Injectable } from '@nestjs/common';
import { buyerIn, issuedAtIn, type OrderScope } from '../database/scope';
import { Statements } from '../database/statements';
import type { KeyClaim } from '../idempotency/key-claim';
import { LONGEST_FAILURE_CODE } from '../inventory/payment-states';
import type { Payment } from './payment.entity';
import {
  CLAIM_TO_ASK,
  FAIL_UNANSWERED,
  FIND_BY_REQUEST,
  FIND_OPEN,
  FIND_PAYMENT,
  LIST_BY_EVENT,
  LIST_BY_ORDER,
  SHOW_PAYMENT,
} from './payments.statements';

export type PaymentView = Pick<
  Payment,
  'id' | 'orderId' | 'provider' | 'status' | 'amount' | 'currency' | 'reference' | 'failureCode' | 'createdAt'
>;

/** What it takes to speak of a payment with its provider. */
export type PaymentAtProvider = Pick<
  Payment,
  | 'id'
  | 'orderId'
  | 'provider'
  | 'providerPayment'
  | 'status'
  | 'amount'
  | 'currency'
  | 'method'
  | 'returnUrl'
> & {
  expiresAt: Date;
  /** Its hold has ended. */
  isEnding: boolean;
};

/** How a buyer wants to pay. */
export interface PaymentWish {
  method?: string;
  returnUrl?: string;
}

@Injectable()
export class PaymentsRepository {
  constructor(private readonly statements: Statements) {}

  /** Newest first, from behind the payment `before`. */
  async listByOrder(
    orderId: number,
    scope: OrderScope,
    before: number,
    limit: number,
  ): Promise<PaymentView[]> {
    const values = [orderId, buyerIn(scope), issuedAtIn(scope), scope.by === 'party', before, limit];
    return await this.statements.list<PaymentView>(LIST_BY_ORDER, values);
  }

  /** Newest first, from behind the payment `before`. */
  async listByEvent(eventId: number, before: number, limit: number): Promise<PaymentView[]> {
    return await this.statements.list<PaymentView>(LIST_BY_EVENT, [eventId, before, limit]);
  }

  async findOpen(orderId: number): Promise<PaymentAtProvider | undefined> {
    return (await this.statements.run<PaymentAtProvider>(FIND_OPEN, [orderId]))[0];
  }

  async find(id: number): Promise<PaymentAtProvider | undefined> {
    return (await this.statements.run<PaymentAtProvider>(FIND_PAYMENT, [id]))[0];
  }

  /** The payment that the same request began before, of which no answer was kept. */
  async findByRequest(orderId: number, { ciphers }: KeyClaim): Promise<PaymentAtProvider | undefined> {
    const fingerprints = ciphers.map(({ fingerprint }) => fingerprint);
    return (await this.statements.run<PaymentAtProvider>(FIND_BY_REQUEST, [orderId, fingerprints]))[0];
  }

  async show(id: number): Promise<PaymentView | undefined> {
    return (await this.statements.run<PaymentView>(SHOW_PAYMENT, [id]))[0];
  }

  /** Ends a payment of which the provider has given no word. One that it did tell of stays as it is. */
  async failUnanswered(id: number, orderId: number, failureCode: string): Promise<void> {
    await this.statements.run(FAIL_UNANSWERED, [id, orderId, failureCode.slice(0, LONGEST_FAILURE_CODE)]);
  }

  /** Takes payments that it is time to ask about; two processes never take the same one at once. */
  async claimToAsk(provider: string, limit: number): Promise<PaymentAtProvider[]> {
    return await this.statements.run<PaymentAtProvider>(CLAIM_TO_ASK, [provider, limit]);
  }
}
