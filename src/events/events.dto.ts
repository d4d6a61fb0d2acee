import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsObject, IsOptional, ValidateNested } from 'class-validator';
import { ApiInteger } from '../common/api-docs';
import {
  Decimal,
  Id,
  Instant,
  Int,
  NotBefore,
  NumberFromQuery,
  OptionalTogetherWith,
  Text,
} from '../common/fields';
import { PageQuery } from '../common/page';
import type { EventFilter, EventWithSeats, NearbyEvent, NewEvent } from './events.repository';

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
  @Text(0, 10_000)
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
}

export class NearbyEventDto extends EventDto {
  /**
   * Great-circle distance from the user's location in km, to the metre.
   * @example 9.676
   */
  distance_km: number;
}

export class EventsQuery extends PageQuery {
  /** Only events that start at this instant or later. */
  @IsOptional()
  @Instant()
  starts_after?: string;

  /** Only events that start before this instant. */
  @IsOptional()
  @Instant()
  starts_before?: string;
}

export class NearbyEventsQuery extends PageQuery {
  /** Whose location to search around. */
  @NumberFromQuery()
  @Id()
  user_id: number;

  /** Radius of the search in km; half the Earth's circumference is 20,015 km. */
  @ApiPropertyOptional()
  @NumberFromQuery()
  @IsOptional()
  @Decimal(0, 20_038)
  max_distance_km: number = 30;
}

export const toEventDto = (event: EventWithSeats): EventDto => ({
  id: event.id,
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
});

export const toNearbyEventDto = (event: NearbyEvent): NearbyEventDto => ({
  ...toEventDto(event),
  distance_km: event.distanceKm,
});

export const toNewEvent = (body: CreateEventDto): NewEvent => ({
  title: body.title,
  description: body.description ?? '',
  startTime: new Date(body.start_time),
  endTime: new Date(body.end_time),
  venueAddress: body.venue.address ?? null,
  venueLatitude: body.venue.latitude ?? null,
  venueLongitude: body.venue.longitude ?? null,
});

export const toEventFilter = (query: EventsQuery): EventFilter => ({
  startsAfter: query.starts_after === undefined ? undefined : new Date(query.starts_after),
  startsBefore: query.starts_before === undefined ? undefined : new Date(query.starts_before),
});
