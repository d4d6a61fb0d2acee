import { ApiProperty } from '@nestjs/swagger';
import { ApiInteger } from '../http/api-docs';
import type { Cancellation } from '../inventory/event-closing.service';

const STATUSES = ['running', 'done', 'stuck'] as const;

export class CancellationDto {
  /** `stuck`: a person is needed, and `detail` says for what. */
  @ApiProperty({ enum: STATUSES, example: 'running' })
  status: (typeof STATUSES)[number];

  /** @example 10000 */
  @ApiInteger()
  refunds_total: number;

  /** @example 9998 */
  @ApiInteger()
  refunds_done: number;

  /** @example 2 */
  @ApiInteger()
  refunds_failed: number;

  /**
   * What was paid in cash or by bank and is to be given back by the organizer, as far as orders were gone through; in
   * the minor unit of the event's currency.
   * @example 2500
   */
  @ApiInteger()
  amount_owed: number;

  /**
   * Why it is stuck, and what to do.
   * @example "2 refunds failed, most of them for balance_insufficient. Mend that at the payment provider, then send the cancellation again: it goes on where it stands."
   */
  detail?: string;
}

export const toCancellationDto = (cancellation: Cancellation): CancellationDto => ({
  status: cancellation.status,
  refunds_total: cancellation.refundsTotal,
  refunds_done: cancellation.refundsDone,
  refunds_failed: cancellation.refundsFailed,
  amount_owed: cancellation.amountOwed,
  ...(cancellation.status === 'stuck' && { detail: whyStuck(cancellation) }),
});

function whyStuck({ isGoneThrough, refundsFailed, failureCode }: Cancellation): string {
  const again = 'then send the cancellation again: it goes on where it stands.';
  if (!isGoneThrough)
    return `Nothing has happened for ten minutes. See to it that a worker is at work, ${again}`;
  if (refundsFailed === 0)
    return `The payment provider has given nothing back for ten minutes. See to it that a worker is at work and reaches it, ${again}`;
  const number = refundsFailed === 1 ? '1 refund' : `${refundsFailed} refunds`;
  return `${number} failed, most of them for ${failureCode}. Mend that at the payment provider, ${again}`;
}
