import { ApiProperty, OmitType, PartialType } from '@nestjs/swagger';
import { IsBoolean, IsOptional } from 'class-validator';
import { ApiInteger } from '../http/api-docs';
import {
  Id,
  Instant,
  Int,
  MAX_MONEY,
  MayBeLeftOut,
  MultilineText,
  NotTogetherWith,
  Text,
} from '../http/fields';
import type { TicketTypeView } from './ticket-types.repository';
import type { TicketTypeChanges, TicketTypeFields } from './ticket-types.service';
import { TICKET_TYPE_STATES, type TicketTypeState } from './ticket-types.statements';

export const MOST_PLACES = 10_000_000;

/** Tickets of one type in one order. */
const MOST_AT_ONCE = 100;

export class CreateTicketTypeDto {
  /** @example "Balcony" */
  @Text(1, 100)
  name: string;

  /** @example "Seats with a view of the orchestra." */
  @IsOptional()
  @MultilineText(0, 1_000)
  description?: string | null;

  /**
   * In the minor unit of the event's currency, such as cents; 0 is free.
   * @example 0
   */
  @Int(0, MAX_MONEY)
  price: number;

  /**
   * Makes a quota of this type alone. Left out: as many as the event has.
   * @example 120
   */
  @IsOptional()
  @Int(0, MOST_PLACES)
  capacity?: number | null;

  /** The quota that this type shares with others. */
  @IsOptional()
  @NotTogetherWith('capacity')
  @Id()
  quota_id?: number | null;

  /**
   * When the sale of this type begins; left out: at once.
   * @example "2030-01-01T09:00:00Z"
   */
  @IsOptional()
  @Instant()
  sales_from?: string | null;

  /**
   * When it ends; left out: with the event.
   * @example "2030-06-01T18:00:00Z"
   */
  @IsOptional()
  @Instant()
  sales_until?: string | null;

  /** Of this type, in one order, and no more than a user may hold of one event; 1 of a new type that does not say. */
  @MayBeLeftOut()
  @Int(1, MOST_AT_ONCE)
  min_per_order?: number;

  /** Of this type, in one order; 10 of a new type that does not say. */
  @MayBeLeftOut()
  @Int(1, MOST_AT_ONCE)
  max_per_order?: number;

  /** `true`: there only for buyers with a code that names it. */
  @MayBeLeftOut()
  @IsBoolean({ message: 'must be true or false' })
  is_hidden?: boolean;

  /** Lists are in this order, then in that of the ids; 0 of a new type that does not say. */
  @MayBeLeftOut()
  @Int(0, 1_000_000)
  position?: number;
}

/** A type of an event that is just being made, which has no quotas to share. */
export class TicketTypeOfNewEventDto extends OmitType(CreateTicketTypeDto, ['quota_id']) {}

export class UpdateTicketTypeDto extends PartialType(CreateTicketTypeDto, { skipNullProperties: false }) {}

export class TicketTypeDto {
  /** @example 1 */
  @ApiInteger()
  id: number;

  /** @example 1 */
  @ApiInteger()
  event_id: number;

  /** @example "Balcony" */
  name: string;

  /** @example "Seats with a view of the orchestra." */
  description: string;

  /**
   * In the minor unit of the currency.
   * @example 0
   */
  @ApiInteger()
  price: number;

  /** That of the event; null while all that it sells is free. */
  @ApiProperty({ type: String, nullable: true, example: 'EUR' })
  currency: string | null;

  /** The quota of this type, alone or shared; null: it draws on the places of the event alone. */
  @ApiProperty({ type: 'integer', nullable: true, example: 1 })
  quota_id: number | null;

  /** Of that quota. */
  @ApiProperty({ type: 'integer', nullable: true, example: 120 })
  capacity: number | null;

  /**
   * Places for sale now: as many as the event and the quota both have.
   * @example 77
   */
  @ApiInteger()
  available: number;

  /**
   * Whether it can be bought now; `over`: never again.
   * @example "on_sale"
   */
  @ApiProperty({ enum: TICKET_TYPE_STATES })
  state: TicketTypeState;

  /** @example "2030-01-01T09:00:00.000Z" */
  sales_from: Date | null;

  /** @example "2030-06-01T18:00:00.000Z" */
  sales_until: Date | null;

  /** @example 1 */
  @ApiInteger()
  min_per_order: number;

  /** @example 10 */
  @ApiInteger()
  max_per_order: number;

  /** @example false */
  is_hidden: boolean;

  /** @example 0 */
  @ApiInteger()
  position: number;

  /** @example "2030-01-01T12:00:00.000Z" */
  created_at: Date;
}

export const toTicketTypeDto = (type: TicketTypeView): TicketTypeDto => ({
  id: type.id,
  event_id: type.eventId,
  name: type.name,
  description: type.description,
  price: type.price,
  currency: type.currency,
  quota_id: type.quotaId,
  capacity: type.capacity,
  available: type.available,
  state: type.state,
  sales_from: type.salesFrom,
  sales_until: type.salesUntil,
  min_per_order: type.minPerOrder,
  max_per_order: type.maxPerOrder,
  is_hidden: type.isHidden,
  position: type.position,
  created_at: type.createdAt,
});

export const toTicketTypeFields = (
  body: Omit<CreateTicketTypeDto, 'quota_id'> & { quota_id?: number | null },
): TicketTypeFields => ({
  name: body.name,
  description: body.description ?? '',
  price: body.price,
  capacity: body.capacity,
  quotaId: body.quota_id,
  salesFrom: toDate(body.sales_from),
  salesUntil: toDate(body.sales_until),
  minPerOrder: body.min_per_order ?? 1,
  maxPerOrder: body.max_per_order ?? 10,
  isHidden: body.is_hidden ?? false,
  position: body.position ?? 0,
});

export const toTicketTypeChanges = (body: UpdateTicketTypeDto): TicketTypeChanges => ({
  ...(body.name !== undefined && { name: body.name }),
  ...(body.description !== undefined && { description: body.description ?? '' }),
  ...(body.price !== undefined && { price: body.price }),
  ...(body.capacity !== undefined && { capacity: body.capacity }),
  ...(body.quota_id !== undefined && { quotaId: body.quota_id }),
  ...(body.sales_from !== undefined && { salesFrom: toDate(body.sales_from) }),
  ...(body.sales_until !== undefined && { salesUntil: toDate(body.sales_until) }),
  ...(body.min_per_order !== undefined && { minPerOrder: body.min_per_order }),
  ...(body.max_per_order !== undefined && { maxPerOrder: body.max_per_order }),
  ...(body.is_hidden !== undefined && { isHidden: body.is_hidden }),
  ...(body.position !== undefined && { position: body.position }),
});

const toDate = (time: string | null | undefined) => (time == null ? null : new Date(time));
