import { ApiProperty } from '@nestjs/swagger';
import { ApiInteger } from '../http/api-docs';
import { TICKET_STATUSES } from '../inventory/ticket-status';
import type { EventSummary } from './event-summary.service';

export class TicketCountsDto {
  /** @example 1 */
  @ApiInteger()
  ticket_type_id: number;

  /** @example "Stalls" */
  name: string;

  /** @example 3 */
  @ApiInteger()
  reserved: number;

  /** @example 120 */
  @ApiInteger()
  paid: number;

  /** @example 14 */
  @ApiInteger()
  expired: number;

  /** @example 2 */
  @ApiInteger()
  cancelled: number;

  /** @example 0 */
  @ApiInteger()
  refunded: number;

  /** @example 1 */
  @ApiInteger()
  void: number;

  /** @example 0 */
  @ApiInteger()
  blocked: number;
}

export class SalesOfDayDto {
  /**
   * In the event's time zone.
   * @example "2030-01-01"
   */
  date: string;

  /** @example 60 */
  @ApiInteger()
  orders: number;

  /** @example 121 */
  @ApiInteger()
  tickets: number;

  /**
   * In the minor unit of the currency.
   * @example 150000
   */
  @ApiInteger()
  amount: number;
}

export class EventSummaryDto {
  /** Of each type of which there are tickets. */
  @ApiProperty({ type: [TicketCountsDto] })
  tickets: TicketCountsDto[];

  /** @example "EUR" */
  currency: string | null;

  /**
   * Taken in all. All amounts are in the minor unit of the currency.
   * @example 150000
   */
  @ApiInteger()
  amount_paid: number;

  /**
   * Given back of it.
   * @example 0
   */
  @ApiInteger()
  amount_refunded: number;

  /**
   * To be given back: what was taken for paid orders of a cancelled event, and no bank has given back.
   * @example 0
   */
  @ApiInteger()
  amount_owed: number;

  /** What was paid on each day, whatever became of it later. */
  @ApiProperty({ type: [SalesOfDayDto] })
  sales: SalesOfDayDto[];

  /**
   * When the count began.
   * @example "2030-01-01T12:00:00.000Z"
   */
  counted_at: Date;
}

export const toEventSummaryDto = (summary: EventSummary): EventSummaryDto => ({
  tickets: summary.tickets.map(
    ({ typeId, name, counts }) =>
      ({
        ticket_type_id: typeId,
        name,
        ...Object.fromEntries(TICKET_STATUSES.map((status) => [status, counts[status] ?? 0])),
      }) as TicketCountsDto,
  ),
  currency: summary.currency,
  amount_paid: summary.amountPaid,
  amount_refunded: summary.amountRefunded,
  amount_owed: summary.amountOwed,
  sales: summary.days,
  counted_at: summary.countedAt,
});
