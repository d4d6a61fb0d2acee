import { ApiProperty } from '@nestjs/swagger';
import { ApiInteger } from '../http/api-docs';
import type { Cancellation } from '../inventory/event-closing.service';

const STATUSES = ['running', 'done', 'stuck'] as const;

export class CancellationDto {
  /** `stuck`: nothing has happened for ten minutes, and a person is needed. */
  @ApiProperty({ enum: STATUSES, example: 'running' })
  status: (typeof STATUSES)[number];

  /** @example 0 */
  @ApiInteger()
  refunds_total: number;

  /** @example 0 */
  @ApiInteger()
  refunds_done: number;

  /** @example 0 */
  @ApiInteger()
  refunds_failed: number;

  /**
   * What was paid in cash or by bank and is to be given back by the organizer, as far as orders were gone through; in
   * the minor unit of the event's currency.
   * @example 2500
   */
  @ApiInteger()
  amount_owed: number;
}

/** No order has been paid but offline: there is nothing that could be refunded by itself. */
export const toCancellationDto = ({ status, amountOwed }: Cancellation): CancellationDto => ({
  status,
  refunds_total: 0,
  refunds_done: 0,
  refunds_failed: 0,
  amount_owed: amountOwed,
});
