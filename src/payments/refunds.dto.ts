import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import { ApiInteger } from '../http/api-docs';
import { Ids, Int, MAX_MONEY, MayBeLeftOut, Text } from '../http/fields';
import {
  REFUND_CAUSES,
  REFUND_STATUSES,
  type RefundCause,
  type RefundStatus,
} from '../inventory/payment-states';
import { invalid } from '../problems/problem';
import type { RefundView, RefundWish } from '../inventory/order-refunds.service';

const MOST_TICKETS = 100;

export class RefundOrderDto {
  /**
   * The tickets whose money is given back. Not together with `amount`; without either, all that is left.
   * @example [1]
   */
  @MayBeLeftOut()
  @Ids(MOST_TICKETS)
  ticket_ids?: number[];

  /**
   * In the minor unit of the currency; the tickets stay as they are.
   * @example 500
   */
  @MayBeLeftOut()
  @Int(1, MAX_MONEY)
  amount?: number;

  /** @example "Seat was broken" */
  @MayBeLeftOut()
  @Text(1, 200)
  reason?: string;

  /** Leaves the places of the tickets counted as sold. */
  @MayBeLeftOut()
  @IsBoolean({ message: 'must be true or false' })
  keep_places?: boolean;
}

/** @throws {Problem} `validation_failed` for what does not go together */
export function refundWishOf({ ticket_ids, amount, reason, keep_places }: RefundOrderDto): RefundWish {
  if (ticket_ids !== undefined && amount !== undefined)
    throw invalid('/amount', 'must not come together with ticket_ids');
  return {
    ...(ticket_ids !== undefined && { ticketIds: ticket_ids }),
    ...(amount !== undefined && { amount }),
    ...(reason !== undefined && { reason }),
    keepPlaces: keep_places ?? false,
  };
}

export class RefundDto {
  /** @example 1 */
  @ApiInteger()
  id: number;

  /** @example "7ZZFG2K9QX" */
  order_code: string;

  /**
   * `pending` goes on by itself; `failed` waits for its retry, also where the money came back after `succeeded`.
   * @example "pending"
   */
  @ApiProperty({ enum: REFUND_STATUSES })
  status: RefundStatus;

  /**
   * In the minor unit of the currency.
   * @example 1250
   */
  @ApiInteger()
  amount: number;

  /** @example "EUR" */
  currency: string;

  /**
   * `organizer`, or why it was begun by itself.
   * @example "organizer"
   */
  @ApiProperty({ enum: REFUND_CAUSES })
  cause: RefundCause;

  /** @example "Seat was broken" */
  reason: string | null;

  /** Null where it is but an amount. */
  @ApiProperty({ type: 'array', items: { type: 'integer' }, nullable: true, example: [1] })
  ticket_ids: number[] | null;

  /** @example false */
  keep_places: boolean;

  /** @example "2030-01-01T12:10:00.000Z" */
  created_at: Date;

  /**
   * Why it failed, in the provider's words.
   * @example "insufficient_balance"
   */
  failure_code?: string;
}

export const toRefundDto = (refund: RefundView, orderCode: string): RefundDto => ({
  id: refund.id,
  order_code: orderCode,
  status: refund.status,
  amount: refund.amount,
  currency: refund.currency,
  cause: refund.cause,
  reason: refund.reason,
  ticket_ids: refund.ticketIds,
  keep_places: refund.keepPlaces,
  created_at: refund.createdAt,
  ...(refund.failureCode !== null && { failure_code: refund.failureCode }),
});
