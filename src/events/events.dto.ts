import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsObject, IsOptional, ValidateNested } from 'class-validator';
import { ApiInteger } from '../http/api-docs';
import {
  Decimal,
  Id,
  Instant,
  Int,
  MayBeLeftOut,
  MultilineText,
  NotBefore,
  NumberFromQuery,
  OptionalTogetherWith,
  Place,
  Text,
} from '../http/fields';
import { PageQuery } from '../http/page';
import { invalid } from '../problems/problem';
import type { EventWithSeats, ListedEvent, NewEvent } from './events.repository';
import type { EventFilter, EventSort } from './events.statements';

const DEFAULT_RADIUS_KM = 30;

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
}

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

class EventFilterQuery extends PageQuery {
  /** Only events that start before this instant. */
  @IsOptional()
  @Instant()
  starts_before?: string;

  /** `true`: only events with places for sale. */
  @IsOptional()
  @IsIn(['true', 'false'], { message: 'must be true or false' })
  @ApiPropertyOptional({ enum: ['true', 'false'] })
  available?: string;
}

export class EventsQuery extends EventFilterQuery {
  /** Only events that start at this instant or later. */
  @IsOptional()
  @Instant()
  starts_after?: string;

  /** Only events of this organizer. */
  @NumberFromQuery()
  @MayBeLeftOut()
  @Id()
  organizer_id?: number;

  /** Only events with all of these words in title, address or description; the last may be the beginning of one. */
  @IsOptional()
  @Text(1, 100)
  q?: string;

  /** Only events around this place: `latitude,longitude` in degrees. */
  @IsOptional()
  @Place()
  near?: string;

  /** Radius around `near` in km; 30 where it is left out. */
  @NumberFromQuery()
  @IsOptional()
  @Decimal(0, 20_038)
  max_distance_km?: number;

  /**
   * `start_time` by default, `relevance` where `q` is given; `distance` wants `near`. Relevance puts up to 500 events
   * in order, and distance the nearest 5,000; what is more comes in the order of the start.
   */
  @IsOptional()
  @IsIn(['start_time', 'distance', 'relevance'], { message: 'must be start_time, distance or relevance' })
  @ApiPropertyOptional({ enum: ['start_time', 'distance', 'relevance'] })
  sort?: EventSort;
}

export class NearbyEventsQuery extends EventFilterQuery {
  /** Whose location to search around; left out: the caller's. Only an admin may name another user. */
  @NumberFromQuery()
  @MayBeLeftOut()
  @Id()
  user_id?: number;

  /** Radius of the search in km; half the Earth's circumference is 20,015 km. */
  @ApiPropertyOptional()
  @NumberFromQuery()
  @IsOptional()
  @Decimal(0, 20_038)
  max_distance_km: number = DEFAULT_RADIUS_KM;
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

export const toNearbyFilter = (query: NearbyEventsQuery) => ({
  startsBefore: toDate(query.starts_before),
  isAvailable: query.available === 'true',
});

/** @throws {Problem} 422 where a parameter lacks the one it belongs to */
export function toEventFilter(query: EventsQuery): EventFilter {
  const { q, near, max_distance_km, sort = q === undefined ? 'start_time' : 'relevance' } = query;
  if (sort === 'distance' && near === undefined) throw invalid('/sort', 'distance wants near');
  if (sort === 'relevance' && q === undefined) throw invalid('/sort', 'relevance wants q');
  if (max_distance_km !== undefined && near === undefined) throw invalid('/max_distance_km', 'wants near');
  const [latitude = 0, longitude = 0] = near?.split(',').map(Number) ?? [];
  return {
    near:
      near === undefined
        ? undefined
        : { center: { latitude, longitude }, radiusKm: max_distance_km ?? DEFAULT_RADIUS_KM },
    // Letters, their marks, and digits; other characters only separate words.
    words:
      q?.normalize('NFC').match(/[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/gu) ?? (q === undefined ? undefined : []),
    startsAfter: toDate(query.starts_after),
    startsBefore: toDate(query.starts_before),
    isAvailable: query.available === 'true',
    organizerId: query.organizer_id,
    sort,
  };
}

const toDate = (time: string | undefined) => (time === undefined ? undefined : new Date(time));
