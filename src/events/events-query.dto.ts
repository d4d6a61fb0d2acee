import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { Decimal, Id, Instant, MayBeLeftOut, NumberFromQuery, Place, Text } from '../http/fields';
import { PageQuery } from '../http/page';
import { invalid } from '../problems/problem';
import type { EventFilter, EventSort } from './events.statements';

const DEFAULT_RADIUS_KM = 30;

class EventFilterQuery extends PageQuery {
  /** Only events that start before this instant. */
  @IsOptional()
  @Instant()
  starts_before?: string;

  /** `true`: only events with free places, whether or not each of their ticket types has any. */
  @IsOptional()
  @IsIn(['true', 'false'], { message: 'must be true or false' })
  @ApiPropertyOptional({ enum: ['true', 'false'] })
  available?: string;
}

export class EventsQuery extends EventFilterQuery {
  /** Only events that start at this instant or later; left out: past ones, too. */
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
