import { Injectable } from '@nestjs/common';
import { issuedAtIn, organizerIn, type OrganizerScope } from '../database/scope';
import { createBatcher } from '../database/batcher';
import { Statements } from '../database/statements';
import { LONGEST_FAILURE_CODE, type RefundCause, type RefundStatus } from './payment-states';
import { REFUND_ORDER } from './refund-order.statement';
import { BATCH } from './retry-without-stuck-rows';
import { RETRY_REFUND, SETTLE_REFUNDS } from './settle-refund.statements';

export { REFUND_TOPIC } from './settle-payments.statement';

/** A refund as its answers show it. */
export interface RefundView {
  id: number;
  orderId: number;
  status: RefundStatus;
  amount: number;
  currency: string;
  cause: RefundCause;
  reason: string | null;
  ticketIds: number[] | null;
  keepPlaces: boolean;
  failureCode: string | null;
  createdAt: Date;
}

/** The money to be given back: that of tickets, an amount, or all that is left. */
export interface RefundWish {
  ticketIds?: number[];
  amount?: number;
  reason?: string;
  keepPlaces: boolean;
}

/** What a provider says of a try. */
export interface RefundNews {
  /** The provider's id. */
  id?: string;
  status: RefundStatus;
  failureCode?: string;
}

interface SettleRequest {
  id: number;
  attempt: number;
  news: RefundNews;
}

interface SettleAnswer {
  status: RefundStatus | null;
  isNew: boolean;
  /** Another about the same refund came before: it is to be asked for again. */
  isLeft: boolean;
}

/** What the caller is to the order; without a refund, `id` is null. */
type RefundAnswer = {
  isTheirs: boolean;
  isBuyers: boolean;
  refusal: 'unknown_ticket' | 'too_much' | null;
} & (RefundView | { id: null });

/** Gives money of orders back, with the places that were bought for it. */
@Injectable()
export class OrderRefunds {
  private readonly settleTogether = createBatcher<SettleRequest, SettleAnswer>(
    (requests) => this.settleAll(requests),
    BATCH,
  );

  constructor(private readonly statements: Statements) {}

  /** Begins a refund, if so much is left; a message of the outbox sees to the money. */
  async request(
    orderId: number,
    scope: OrganizerScope,
    { ticketIds, amount, reason, keepPlaces }: RefundWish,
    cause: RefundCause = 'organizer',
  ): Promise<RefundAnswer> {
    const [answer] = await this.statements.change<RefundAnswer>(REFUND_ORDER, [
      orderId,
      organizerIn(scope),
      issuedAtIn(scope),
      ticketIds ?? null,
      amount ?? null,
      reason ?? null,
      keepPlaces,
      cause,
    ]);
    return answer as RefundAnswer;
  }

  /** @returns whether it had failed, and is tried again */
  async retry(id: number): Promise<boolean> {
    return (await this.statements.change(RETRY_REFUND, [id])).length > 0;
  }

  /**
   * Takes over what the provider says of a try.
   *
   * @returns undefined for a refund that is unknown
   */
  async settle(
    id: number,
    attempt: number,
    news: RefundNews,
  ): Promise<{ status: RefundStatus; isNew: boolean } | undefined> {
    let settled = await this.settleTogether({ id, attempt, news });
    while (settled.isLeft) settled = await this.settleTogether({ id, attempt, news });
    const { status, isNew } = settled;
    return status === null ? undefined : { status, isNew };
  }

  private async settleAll(requests: readonly SettleRequest[]): Promise<SettleAnswer[]> {
    const said = requests.map(({ id, attempt, news: { id: providerId, status, failureCode } }, i) => ({
      n: i + 1,
      id,
      attempt,
      status,
      provider_refund: providerId,
      failure_code: failureCode?.slice(0, LONGEST_FAILURE_CODE),
    }));
    return await this.statements.run<SettleAnswer>(SETTLE_REFUNDS, [JSON.stringify(said)]);
  }
}
