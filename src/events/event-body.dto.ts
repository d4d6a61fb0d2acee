import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsObject, IsOptional, ValidateNested } from 'class-validator';
import {
  ChangedTogetherWith,
  Currency,
  Decimal,
  Instant,
  Int,
  ListOf,
  MayBeLeftOut,
  MultilineText,
  NotBefore,
  OptionalTogetherWith,
  Text,
  TimeZone,
} from '../http/fields';
import { TicketTypeOfNewEventDto } from '../ticket-types/ticket-types.dto';
import { IsMetadata, IsMetadataChanges, type Metadata, type MetadataChanges } from '../http/metadata';
import type { EventChanges, NewEvent } from './events.repository';

const MOST_TICKETS = 10_000_000;
/** Ticket types that are made with their event; more can be added later. */
const MOST_TYPES = 20;

/** What can be asked for: an event is cancelled by a route of its own. */
const ASKED_STATUSES = ['draft', 'published'] as const;
type AskedStatus = (typeof ASKED_STATUSES)[number];

export class VenueDto {
  /** @example "Alexandra Palace Way, London" */
  @IsOptional()
  @Text(0, 255)
  address?: string | null;

  /**
   * Degrees north; comes together with the longitude.
   * @example 51.5942
   */
  @OptionalTogetherWith('longitude')
  @Decimal(-90, 90)
  latitude?: number | null;

  /**
   * Degrees east; comes together with the latitude.
   * @example -0.1306
   */
  @OptionalTogetherWith('latitude')
  @Decimal(-180, 180)
  longitude?: number | null;
}

export class CreateEventDto {
  /** @example "Night of the Analytical Engine" */
  @Text(1, 200)
  title: string;

  /** @example "An evening of music for one engine and orchestra." */
  @IsOptional()
  @MultilineText(0, 10_000)
  description?: string;

  /** @example "2030-06-01T19:00:00Z" */
  @Instant()
  start_time: string;

  /**
   * Not before the start; the same instant is fine.
   * @example "2030-06-01T22:00:00Z"
   */
  @NotBefore('start_time')
  @Instant()
  end_time: string;

  /** @example 500 */
  @Int(0, MOST_TICKETS)
  total_tickets: number;

  /** Without coordinates the event can't be found nearby. */
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => VenueDto)
  venue: VenueDto;

  /** `draft`: seen by its organizer and admins alone, until it is published. A new event is `published` unless it says so. */
  @IsOptional()
  @IsIn(ASKED_STATUSES, { message: 'must be draft or published' })
  @ApiPropertyOptional({ enum: ASKED_STATUSES })
  status?: AskedStatus | null;

  /**
   * Of all prices, by ISO 4217; may be left out while everything is free.
   * @example "EUR"
   */
  @IsOptional()
  @Currency()
  currency?: string | null;

  /**
   * Where the event takes place, by its name in the IANA database; `UTC` where it is left out.
   * @example "Europe/London"
   */
  @IsOptional()
  @TimeZone()
  timezone?: string | null;

  /**
   * How many tickets one user may have; left out: any number.
   * @example 8
   */
  @IsOptional()
  @Int(1, MOST_TICKETS)
  max_tickets_per_user?: number | null;

  /**
   * Your own references, which the API keeps and does not read. Everyone who sees the event sees them.
   * @example { "season": "2030/31" }
   */
  @IsOptional()
  @IsMetadata()
  metadata?: Metadata | null;

  /** What it sells; left out: one free type. */
  @ApiPropertyOptional({ type: [TicketTypeOfNewEventDto], minItems: 1, maxItems: MOST_TYPES })
  @MayBeLeftOut()
  @ListOf(() => TicketTypeOfNewEventDto, 1, MOST_TYPES)
  ticket_types?: TicketTypeOfNewEventDto[];
}

export class VenueChangesDto {
  /**
   * Null clears it.
   * @example "Alexandra Palace Way, London"
   */
  @IsOptional()
  @Text(0, 255)
  address?: string | null;

  /**
   * Degrees north; comes together with the longitude. Null clears both.
   * @example 51.5942
   */
  @ChangedTogetherWith('longitude')
  @Decimal(-90, 90)
  latitude?: number | null;

  /**
   * Degrees east; comes together with the latitude. Null clears both.
   * @example -0.1306
   */
  @ChangedTogetherWith('latitude')
  @Decimal(-180, 180)
  longitude?: number | null;
}

/** What may be left out at the creation, null sets as if it had been. */
export class UpdateEventDto {
  /** @example "Night of the Analytical Engine" */
  @MayBeLeftOut()
  @Text(1, 200)
  title?: string;

  /** @example "An evening of music for one engine and orchestra." */
  @IsOptional()
  @MultilineText(0, 10_000)
  description?: string | null;

  /** @example "2030-06-01T19:00:00Z" */
  @MayBeLeftOut()
  @Instant()
  start_time?: string;

  /**
   * Not before the start, whether that is changed, too, or not.
   * @example "2030-06-01T22:00:00Z"
   */
  @MayBeLeftOut()
  @NotBefore('start_time')
  @Instant()
  end_time?: string;

  /**
   * Not below the places that are held and sold.
   * @example 500
   */
  @MayBeLeftOut()
  @Int(0, MOST_TICKETS)
  total_tickets?: number;

  /** What is left out of it stays as it is, too. */
  @MayBeLeftOut()
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => VenueChangesDto)
  venue?: VenueChangesDto;

  /** `published` publishes a draft; there is no way back. */
  @MayBeLeftOut()
  @IsIn(ASKED_STATUSES, { message: 'must be draft or published' })
  @ApiPropertyOptional({ enum: ASKED_STATUSES, example: 'published' })
  status?: AskedStatus;

  /**
   * Of all prices, by ISO 4217; fixed with the first ticket.
   * @example "EUR"
   */
  @IsOptional()
  @Currency()
  currency?: string | null;

  /** @example "Europe/London" */
  @IsOptional()
  @TimeZone()
  timezone?: string | null;

  /**
   * How many tickets one user may have; null: any number.
   * @example 8
   */
  @IsOptional()
  @Int(1, MOST_TICKETS)
  max_tickets_per_user?: number | null;

  /**
   * Names that are left out stay as they are, and null takes one away. Null instead of the object takes all away.
   * @example { "season": "2030/31" }
   */
  @IsOptional()
  @IsMetadataChanges()
  metadata?: MetadataChanges | null;
}

export const toNewEvent = (body: CreateEventDto, organizerId: number): NewEvent => ({
  organizerId,
  title: body.title,
  description: body.description ?? '',
  startTime: new Date(body.start_time),
  endTime: new Date(body.end_time),
  venueAddress: body.venue.address ?? null,
  venueLatitude: body.venue.latitude ?? null,
  venueLongitude: body.venue.longitude ?? null,
  status: body.status ?? 'published',
  currency: body.currency ?? null,
  timezone: body.timezone ?? 'UTC',
  maxTicketsPerUser: body.max_tickets_per_user ?? null,
  metadata: body.metadata ?? {},
});

export function toEventChanges(body: UpdateEventDto): EventChanges {
  const { start_time, end_time, venue = {}, timezone, max_tickets_per_user } = body;
  const changes = {
    title: body.title,
    description: orIfNull(body.description, ''),
    startTime: start_time === undefined ? undefined : new Date(start_time),
    endTime: end_time === undefined ? undefined : new Date(end_time),
    venueAddress: venue.address,
    venueLatitude: venue.latitude,
    venueLongitude: venue.longitude,
    status: body.status,
    currency: body.currency,
    timezone: orIfNull(timezone, 'UTC'),
    maxTicketsPerUser: max_tickets_per_user,
    metadata: body.metadata,
    capacity: body.total_tickets,
  };
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

const orIfNull = (value: string | null | undefined, none: string) => (value === null ? none : value);
