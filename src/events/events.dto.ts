import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsObject, IsOptional, ValidateNested } from 'class-validator';
import { ApiInteger } from '../http/api-docs';
import { TicketTypeOfNewEventDto } from '../ticket-types/ticket-types.dto';
import {
  Decimal,
  Instant,
  Int,
  ListOf,
  MayBeLeftOut,
  MultilineText,
  NotBefore,
  OptionalTogetherWith,
  Text,
} from '../http/fields';
import type { EventWithSeats, ListedEvent, NewEvent } from './events.repository';

/** Ticket types that are made with their event; more can be added later. */
const MOST_TYPES = 20;

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
  @Int(0, 10_000_000)
  total_tickets: number;

  /** Without coordinates the event can't be found nearby. */
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => VenueDto)
  venue: VenueDto;

  /** What it sells; left out: one free type. */
  @ApiPropertyOptional({ type: [TicketTypeOfNewEventDto], minItems: 1, maxItems: MOST_TYPES })
  @MayBeLeftOut()
  @ListOf(() => TicketTypeOfNewEventDto, 1, MOST_TYPES)
  ticket_types?: TicketTypeOfNewEventDto[];
}

export class VenueOfEventDto {
  /** @example "Alexandra Palace Way, London" */
  address: string | null;

  /** @example 51.5942 */
  latitude: number | null;

  /** @example -0.1306 */
  longitude: number | null;
}

export class EventDto {
  /** @example 1 */
  @ApiInteger()
  id: number;

  /**
   * The user who created it; null for events that are older than accounts.
   * @example 1
   */
  @ApiInteger()
  organizer_id: number | null;

  /** @example "Night of the Analytical Engine" */
  title: string;

  /** @example "An evening of music for one engine and orchestra." */
  description: string;

  /** @example "2030-06-01T19:00:00.000Z" */
  start_time: Date;

  /** @example "2030-06-01T22:00:00.000Z" */
  end_time: Date;

  /**
   * All places.
   * @example 500
   */
  @ApiInteger()
  total_tickets: number;

  /**
   * Places that are paid.
   * @example 120
   */
  @ApiInteger()
  tickets_sold: number;

  /**
   * Places of reserved tickets.
   * @example 3
   */
  @ApiInteger()
  tickets_held: number;

  /**
   * Places for sale now.
   * @example 377
   */
  @ApiInteger()
  tickets_available: number;

  venue: VenueOfEventDto;

  /** @example "2030-01-01T12:00:00.000Z" */
  created_at: Date;

  /** When an admin took the event out of all lists; null while it is in them. */
  @ApiProperty({ example: null })
  unlisted_at: Date | null;
}

export const CREATE_EVENT_EXAMPLE = {
  title: 'Night of the Analytical Engine',
  description: 'An evening of music for one engine and orchestra.',
  start_time: '2030-06-01T19:00:00Z',
  end_time: '2030-06-01T22:00:00Z',
  total_tickets: 500,
  venue: { address: 'Alexandra Palace Way, London', latitude: 51.5942, longitude: -0.1306 },
};

/** An event as a list without `near` shows it. */
export const EVENT_EXAMPLE = {
  id: 1,
  organizer_id: 1,
  title: 'Night of the Analytical Engine',
  description: 'An evening of music for one engine and orchestra.',
  start_time: '2030-06-01T19:00:00.000Z',
  end_time: '2030-06-01T22:00:00.000Z',
  total_tickets: 500,
  tickets_sold: 120,
  tickets_held: 3,
  tickets_available: 377,
  venue: { address: 'Alexandra Palace Way, London', latitude: 51.5942, longitude: -0.1306 },
  created_at: '2030-01-01T12:00:00.000Z',
  unlisted_at: null,
};

export class NearbyEventDto extends EventDto {
  /**
   * Great-circle distance from the place that was searched around in km, to the metre.
   * @example 9.676
   */
  distance_km: number;
}

export class ListedEventDto extends EventDto {
  /**
   * Great-circle distance from `near` in km, to the metre; only where `near` is given.
   * @example 9.676
   */
  distance_km?: number;
}

export const toEventDto = (event: EventWithSeats): EventDto => ({
  id: event.id,
  organizer_id: event.organizerId,
  title: event.title,
  description: event.description,
  start_time: event.startTime,
  end_time: event.endTime,
  total_tickets: event.capacity,
  tickets_sold: event.sold,
  tickets_held: event.held,
  tickets_available: event.capacity - event.sold - event.held,
  venue: { address: event.venueAddress, latitude: event.venueLatitude, longitude: event.venueLongitude },
  created_at: event.createdAt,
  unlisted_at: event.unlistedAt,
});

export const toListedEventDto = (event: ListedEvent): ListedEventDto => ({
  ...toEventDto(event),
  ...(event.distanceKm !== undefined && { distance_km: event.distanceKm }),
});

export const toNewEvent = (body: CreateEventDto, organizerId: number): NewEvent => ({
  organizerId,
  title: body.title,
  description: body.description ?? '',
  startTime: new Date(body.start_time),
  endTime: new Date(body.end_time),
  venueAddress: body.venue.address ?? null,
  venueLatitude: body.venue.latitude ?? null,
  venueLongitude: body.venue.longitude ?? null,
});
