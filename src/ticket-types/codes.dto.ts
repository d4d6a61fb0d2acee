import { ApiProperty, PartialType } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { ApiInteger } from '../http/api-docs';
import { Ids, Instant, Int, MAX_MONEY, NotTogetherWith, Text } from '../http/fields';
import type { CodeView } from './codes.repository';
import { MOST_USES, type CodeChanges, type CodeFields } from './codes.service';

export class CreateCodeDto {
  /**
   * What buyers type in, in letters of any case.
   * @example "SUMMER25"
   */
  @Text(1, 50)
  code: string;

  /**
   * Taken off the price of each ticket.
   * @example 25
   */
  @IsOptional()
  @Int(1, 100)
  percent_off?: number | null;

  /** Taken once off the order, in the minor unit of the event's currency. */
  @IsOptional()
  @NotTogetherWith('percent_off')
  @Int(1, MAX_MONEY)
  amount_off?: number | null;

  /** What it reduces, and opens where it is hidden; left out: all types that are not hidden. */
  @IsOptional()
  @Ids(100)
  ticket_type_ids?: number[] | null;

  /**
   * How many orders may use it; left out: any number.
   * @example 100
   */
  @IsOptional()
  @Int(1, MOST_USES)
  max_uses?: number | null;

  /** @example "2030-01-01T09:00:00Z" */
  @IsOptional()
  @Instant()
  valid_from?: string | null;

  /** @example "2030-06-01T18:00:00Z" */
  @IsOptional()
  @Instant()
  valid_until?: string | null;
}

export class UpdateCodeDto extends PartialType(CreateCodeDto, { skipNullProperties: false }) {}

export class CodeDto {
  /** @example 1 */
  @ApiInteger()
  id: number;

  /** @example 1 */
  @ApiInteger()
  event_id: number;

  /** @example "SUMMER25" */
  code: string;

  @ApiProperty({ type: 'integer', nullable: true, example: 25 })
  percent_off: number | null;

  @ApiProperty({ type: 'integer', nullable: true, example: null })
  amount_off: number | null;

  /** Null: all types that are not hidden. */
  @ApiProperty({ type: 'array', items: { type: 'integer' }, nullable: true, example: null })
  ticket_type_ids: number[] | null;

  /** Null: any number. */
  @ApiProperty({ type: 'integer', nullable: true, example: 100 })
  max_uses: number | null;

  /**
   * Uses by orders that are held.
   * @example 2
   */
  @ApiInteger()
  held: number;

  /**
   * Uses by orders that are paid.
   * @example 31
   */
  @ApiInteger()
  sold: number;

  /** @example "2030-01-01T09:00:00.000Z" */
  valid_from: Date | null;

  /** @example "2030-06-01T18:00:00.000Z" */
  valid_until: Date | null;

  /** @example "2030-01-01T12:00:00.000Z" */
  created_at: Date;
}

export const toCodeDto = (code: CodeView): CodeDto => ({
  id: code.id,
  event_id: code.eventId,
  code: code.code,
  percent_off: code.percentOff,
  amount_off: code.amountOff,
  ticket_type_ids: code.ticketTypeIds,
  max_uses: code.maxUses,
  held: code.held,
  sold: code.sold,
  valid_from: code.validFrom,
  valid_until: code.validUntil,
  created_at: code.createdAt,
});

export const toCodeFields = (body: CreateCodeDto): CodeFields => ({
  code: body.code,
  percentOff: body.percent_off ?? null,
  amountOff: body.amount_off ?? null,
  ticketTypeIds: body.ticket_type_ids ?? null,
  maxUses: body.max_uses ?? null,
  validFrom: toDate(body.valid_from),
  validUntil: toDate(body.valid_until),
});

export const toCodeChanges = (body: UpdateCodeDto): CodeChanges => ({
  ...(body.code !== undefined && { code: body.code }),
  ...(body.percent_off !== undefined && { percentOff: body.percent_off }),
  ...(body.amount_off !== undefined && { amountOff: body.amount_off }),
  ...(body.ticket_type_ids !== undefined && { ticketTypeIds: body.ticket_type_ids }),
  ...(body.max_uses !== undefined && { maxUses: body.max_uses }),
  ...(body.valid_from !== undefined && { validFrom: toDate(body.valid_from) }),
  ...(body.valid_until !== undefined && { validUntil: toDate(body.valid_until) }),
});

const toDate = (time: string | null | undefined) => (time == null ? null : new Date(time));
