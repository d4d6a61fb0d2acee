import { Injectable } from '@nestjs/common';
import { buyerIn, issuedAtIn, type OrderScope, type Scope } from '../database/scope';
import { Statements } from '../database/statements';
import { keyValues, type Claimed, type KeyClaim } from '../idempotency/key-claim';
import type { OrderStatus } from '../inventory/order-status';
import { BEGIN_KEYED_PAYMENT, BEGIN_PAYMENT } from './begin-payment.statement';
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

/** `orderId` is null where there is no such order, `id` where no payment was begun. */
export type BegunPayment = Pick<Payment, 'amount' | 'currency' | 'method' | 'returnUrl'> & {
  id: number | null;
  orderId: number | null;
  status: OrderStatus;
  /** A payment of it is open. */
  isPaying: boolean;
  /** Its hold has ended. */
  isDue: boolean;
  paidAt: Date | null;
  expiresAt: Date;
};

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

  /**
   * @param claim the request's `Idempotency-Key`
   * @throws {Problem | StoredAnswer} as `KeyClaim.settle`
   */
  async begin(
    orderId: number,
    scope: Scope,
    provider: string,
    { method, returnUrl }: PaymentWish,
    claim?: KeyClaim,
  ): Promise<BegunPayment | undefined> {
    const values = [
      orderId,
      buyerIn(scope),
      issuedAtIn(scope),
      provider,
      method ?? null,
      returnUrl ?? null,
      claim?.ciphers[0]?.fingerprint ?? null,
    ];
    if (!claim) {
      const [begun] = await this.statements.run<BegunPayment>(BEGIN_PAYMENT, values);
      return begun;
    }
    // Nothing is to be kept by a statement: its parameter would have no type.
    const keys = keyValues([claim]).slice(0, 3);
    const [answer] = await this.statements.run<BegunPayment & Partial<Claimed<BegunPayment>>>(
      BEGIN_KEYED_PAYMENT,
      [...values, ...keys],
    );
    return answer && claim.settle<BegunPayment>(answer, answer);
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
    await this.statements.run(FAIL_UNANSWERED, [id, orderId, failureCode.slice(0, 100)]);
  }

  /** Takes payments that it is time to ask about; two processes never take the same one at once. */
  async claimToAsk(provider: string, limit: number): Promise<PaymentAtProvider[]> {
    return await this.statements.run<PaymentAtProvider>(CLAIM_TO_ASK, [provider, limit]);
  }
}
