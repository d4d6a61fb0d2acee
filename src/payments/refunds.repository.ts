import { Injectable } from '@nestjs/common';
import { buyerIn, issuedAtIn, organizerIn, type OrderScope, type OrganizerScope } from '../database/scope';
import { Statements } from '../database/statements';
import type { RefundView } from '../inventory/order-refunds.service';
import type { Refund } from './refund.entity';
import {
  CLAIM_SUCCEEDED,
  FIND_CANCELLED_EVENT,
  FIND_OLD_PENDING,
  FIND_REFUND,
  FIND_TO_SEND,
  FIND_UNSETTLED,
  LIST_REFUNDS,
} from './refunds.statements';

export interface Standing {
  isTheirs: boolean;
  isBuyers: boolean;
}

export type RefundToSend = Pick<Refund, 'id' | 'attempt' | 'status' | 'amount' | 'currency'> & {
  provider: string;
  providerPayment: string | null;
  /** The provider's id of the try, where it has told. */
  providerRefund: string | null;
  isOld: boolean;
};

@Injectable()
export class RefundsRepository {
  constructor(private readonly statements: Statements) {}

  /** Newest first, from behind the refund `before`. */
  async listByOrder(
    orderId: number,
    scope: OrderScope,
    before: number,
    limit: number,
  ): Promise<RefundView[]> {
    const values = [orderId, buyerIn(scope), issuedAtIn(scope), scope.by === 'party', before, limit];
    return await this.statements.list<RefundView>(LIST_REFUNDS, values);
  }

  async find(id: number, scope: OrganizerScope): Promise<(RefundView & Standing) | undefined> {
    const values = [id, organizerIn(scope), issuedAtIn(scope)];
    return (await this.statements.run<RefundView & Standing>(FIND_REFUND, values))[0];
  }

  async findToSend(id: number): Promise<RefundToSend | undefined> {
    return (await this.statements.run<RefundToSend>(FIND_TO_SEND, [id]))[0];
  }

  async isUnsettled(orderId: number, paymentId: number): Promise<boolean> {
    return (await this.statements.run(FIND_UNSETTLED, [orderId, paymentId])).length > 0;
  }

  async isOfCancelledEvent(orderId: number): Promise<boolean> {
    return (await this.statements.run(FIND_CANCELLED_EVENT, [orderId])).length > 0;
  }

  /** Those that the provider has taken in and not finished. */
  async findOldPending(
    provider: string,
    seconds: number,
    limit: number,
    after: number,
  ): Promise<{ id: number; providerPayment: string }[]> {
    return await this.statements.run<{ id: number; providerPayment: string }>(FIND_OLD_PENDING, [
      provider,
      seconds,
      limit,
      after,
    ]);
  }

  /** Those that succeeded and are to be asked about again. Two processes never take the same one at once. */
  async claimSucceeded(provider: string, limit: number): Promise<{ providerPayment: string }[]> {
    return await this.statements.run<{ providerPayment: string }>(CLAIM_SUCCEEDED, [provider, limit]);
  }
}
