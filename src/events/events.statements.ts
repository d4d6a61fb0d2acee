import type { Statement } from '../database/statements';
import { isTheirs } from '../event-access/event-access.service';
import type { Coordinates } from './haversine';

export const EVENT = `events.id, events.organizer_id AS "organizerId", events.status, events.title, events.description,
  events.start_time AS "startTime", events.end_time AS "endTime", events.venue_address AS "venueAddress",
  events.venue_latitude AS "venueLatitude", events.venue_longitude AS "venueLongitude", events.currency, events.timezone,
  events.max_tickets_per_user AS "maxTicketsPerUser", events.metadata, events.version, events.created_at AS "createdAt",
  events.unlisted_at AS "unlistedAt"`;
/** An event that lost its counter has no places: it is shown, and its list goes on behind it. */
export const SEATS =
  'coalesce(capacity, 0) AS capacity, coalesce(held, 0) AS held, coalesce(sold, 0) AS sold';

const IS_THEIRS = isTheirs('events');

/** The event `$1`, where it is no draft of somebody else than `$2`. */
export const eventById: Statement = {
  name: 'event_by_id',
  text: `
    SELECT ${EVENT}, ${SEATS} FROM events LEFT JOIN quotas ON quotas.event_id = events.id AND quotas.kind = 'event'
    WHERE events.id = $1 AND (events.status <> 'draft' OR ${IS_THEIRS})`,
};

/** Takes an event out of the lists where `$2` is false, else puts it back; leaves one that is so already as it is. */
export const listEvent: Statement = {
  name: 'list_event',
  text: `
    UPDATE events SET unlisted_at = CASE WHEN NOT $2::bool THEN now() END
    WHERE id = $1 AND (unlisted_at IS NULL) <> $2::bool`,
};

/**
 * The event as `eventById` shows it, kept as it is until the transaction ends; `isTheirs`: `$2` may change it. The lock keeps no ticket of the event
 * from being made: rows that refer to it ask for a weaker one.
 */
export const lockEvent: Statement = {
  text: `
    SELECT ${EVENT}, ${IS_THEIRS} AS "isTheirs" FROM events
    WHERE events.id = $1 AND (events.status <> 'draft' OR ${IS_THEIRS})
    FOR NO KEY UPDATE`,
};

/** The order of a list. Ties are put in the order of their ids; at one place, those that end sooner come before. */
export type EventSort = 'start_time' | 'distance' | 'relevance';

export interface EventFilter {
  /** Needed to sort by distance. */
  near?: { center: Coordinates; radiusKm: number };
  /** Words of which the last may be the beginning of one; needed to sort by relevance. */
  words?: string[];
  /** Inclusive. */
  startsAfter?: Date;
  /** Exclusive. */
  startsBefore?: Date;
  hasNotEnded?: boolean;
  isAvailable?: boolean;
  organizerId?: number;
  /** Drafts and cancelled events, too: the list is the organizer's own. Needs `organizerId`. */
  isOwn?: boolean;
  /** Only events behind this one in the order of distance; needs `near`. */
  beyond?: DistanceKey;
  /** More pass than can be put in an order of their own. */
  isWide?: boolean;
  sort: EventSort;
}

export type TimeKey = [startTime: string, id: number];
export type RankKey = [rank: number, id: number];
export type DistanceKey = [chord: number, endTime: string, id: number];

/** Where a page starts: what its list is sorted by, of the last row before it. */
export type EventKey = TimeKey | RankKey | DistanceKey;
