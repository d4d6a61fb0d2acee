import { ApiProperty } from '@nestjs/swagger';
import { ApiInteger } from '../http/api-docs';
import type { Metadata } from '../http/metadata';
import { EVENT_STATUSES, type EventStatus } from './event.entity';
import type { EventWithSeats, ListedEvent } from './events.repository';

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

  /**
   * A draft is seen by its organizer and admins alone; a cancelled event is in no list of others any more.
   * @example "published"
   */
  @ApiProperty({ enum: EVENT_STATUSES })
  status: EventStatus;

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

  /**
   * Of all prices, by ISO 4217; null while everything is free.
   * @example "EUR"
   */
  currency: string | null;

  /**
   * Where the event takes place, by its name in the IANA database; all times here are in UTC.
   * @example "Europe/London"
   */
  timezone: string;

  /** How many tickets one user may have; null = any number. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  max_tickets_per_user: number | null;

  /** The client's own references. Everyone who sees the event sees them. */
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { season: '2030/31' },
  })
  metadata: Metadata;

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
  status: 'published',
  title: 'Night of the Analytical Engine',
  description: 'An evening of music for one engine and orchestra.',
  start_time: '2030-06-01T19:00:00.000Z',
  end_time: '2030-06-01T22:00:00.000Z',
  total_tickets: 500,
  tickets_sold: 120,
  tickets_held: 3,
  tickets_available: 377,
  venue: { address: 'Alexandra Palace Way, London', latitude: 51.5942, longitude: -0.1306 },
  currency: 'EUR',
  timezone: 'Europe/London',
  max_tickets_per_user: null,
  metadata: { season: '2030/31' },
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
  status: event.status,
  title: event.title,
  description: event.description,
  start_time: event.startTime,
  end_time: event.endTime,
  total_tickets: event.capacity,
  tickets_sold: event.sold,
  tickets_held: event.held,
  tickets_available: event.capacity - event.sold - event.held,
  venue: { address: event.venueAddress, latitude: event.venueLatitude, longitude: event.venueLongitude },
  currency: event.currency,
  timezone: event.timezone,
  max_tickets_per_user: event.maxTicketsPerUser,
  metadata: event.metadata,
  created_at: event.createdAt,
  unlisted_at: event.unlistedAt,
});

export const toListedEventDto = (event: ListedEvent): ListedEventDto => ({
  ...toEventDto(event),
  ...(event.distanceKm !== undefined && { distance_km: event.distanceKm }),
});
