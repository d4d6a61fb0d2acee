import type { Statement } from '../database/statements';
import { chordOfDistance, EARTH_RADIUS_KM, type Coordinates } from './haversine';

const EVENT = `events.id, events.organizer_id AS "organizerId", events.title, events.description, events.start_time AS "startTime",
  events.end_time AS "endTime", events.venue_address AS "venueAddress", events.venue_latitude AS "venueLatitude",
  events.venue_longitude AS "venueLongitude", events.created_at AS "createdAt"`;
/** An event that lost its counter has no places: it is shown, and its list goes on behind it. */
const SEATS = 'coalesce(capacity, 0) AS capacity, coalesce(held, 0) AS held, coalesce(sold, 0) AS sold';

export const eventById: Statement = {
  name: 'event_by_id',
  text: `
    SELECT ${EVENT}, ${SEATS} FROM events LEFT JOIN inventory ON inventory.event_id = events.id
    WHERE events.id = $1`,
};

/** The order of a list. Ties are put in the order of their ids. */
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
  sort: EventSort;
}

/** Where a page starts: what its list is sorted by, and the id, of the last row before it. */
export type EventKey = [sortedBy: string | number, id: number];

/**
 * A page of events, planned for exactly the filters that are given. The inner SELECT takes the events off an index that
 * yields them in order, so that it stops after `limit` rows; the outer one looks up their seats.
 *
 * Positions are points of the unit sphere. The chord between two of them grows with their great-circle distance, so
 * the index that walks from point to point by the one (`<->`, nearest neighbour) does so by the other. WITH TIES ends
 * the walk behind the last row at the same place, so that the events of one venue can be put in the order of their
 * ids. What lies outside the radius comes last in that order and is cut off by the outer SELECT. Until then it passes
 * the other filters, whatever it is: so it fills the page and ends the walk, which would otherwise go round the Earth
 * for what is not to be found nearby. In any other order, or with words to look up, the box around the radius is.
 */
export function listEvents(
  filter: EventFilter,
  after: EventKey | undefined,
  limit: number,
): [Statement, unknown[]] {
  const values: unknown[] = [];
  const bind = (value: unknown, type: string) => `$${values.push(value)}::${type}`;

  const { near, words, sort } = filter;
  const query = words && `to_tsquery('unaccented', ${bind(prefixQuery(words), 'text')})`;
  const center =
    near &&
    `unit_sphere_point(${bind(near.center.latitude, 'float8')}, ${bind(near.center.longitude, 'float8')})`;
  const chord = `position <-> ${center}`;
  const radius = near && bind(near.radiusKm, 'float8');
  const [key, keyType] = {
    start_time: ['start_time', 'timestamptz'],
    distance: [chord, 'float8'],
    relevance: [`-ts_rank(search, ${query})`, 'real'],
  }[sort] as [string, string];
  // Pages go on behind both bounds; given both, the index would be entered at either, so the later one alone is it.
  const isBehindStart =
    sort === 'start_time' && after && (!filter.startsAfter || new Date(after[0]) >= filter.startsAfter);

  const filters = [
    filter.isAvailable && 'held + sold < capacity',
    filter.organizerId && `organizer_id = ${bind(filter.organizerId, 'bigint')}`,
    filter.startsAfter && !isBehindStart && `start_time >= ${bind(filter.startsAfter, 'timestamptz')}`,
    filter.startsBefore && `start_time < ${bind(filter.startsBefore, 'timestamptz')}`,
  ].filter(Boolean);
  // Bound where it is used: PostgreSQL can't tell the type of a parameter that is not.
  const outside = () => bind(chordOutside(near?.radiusKm ?? 0), 'float8');
  const isWalk = sort === 'distance' && !words;
  const conditions = [
    query && `search @@ ${query}`,
    near && 'position IS NOT NULL',
    near && !isWalk && `position <@ cube_enlarge(${center}, ${outside()}, 3)`,
    near && !isWalk && `${kilometres(chord)} <= ${radius}`,
    filter.hasNotEnded && 'end_time > now()',
    ...(isWalk && filters.length > 0 ? [`(${filters.join(' AND ')} OR ${chord} > ${outside()})`] : filters),
    after && `(${key}, id) > (${bind(after[0], keyType)}, ${bind(after[1], 'bigint')})`,
  ].filter(Boolean);
  const size = bind(limit, 'bigint');

  const text = `
    SELECT page.*, ${SEATS}
    FROM (
      SELECT ${EVENT}, ${key} AS key${near ? `, ${kilometres(chord)} AS "distanceKm"` : ''}
      FROM events ${filter.isAvailable ? 'JOIN inventory ON inventory.event_id = events.id' : ''}
      ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''}
      ORDER BY ${sort === 'distance' ? `${key} FETCH FIRST (${size}) ROWS WITH TIES` : `${key}, id LIMIT ${size}`}
    ) AS page
    LEFT JOIN inventory ON inventory.event_id = page.id
    ${near ? `WHERE page."distanceKm" <= ${radius}` : ''}
    ORDER BY page.key, page.id
    LIMIT ${size}`;
  return [{ text: withinBytes(text) }, values];
}

/** What a page may weigh; 200 events of the longest texts would be 8 MB, in PostgreSQL, on the wire and in memory. */
const PAGE_BYTES = 256 * 1_024;

/**
 * The first rows of a page that weigh no more than `PAGE_BYTES`, and at least one; each tells how many there would be.
 * (The length of a text is known without reading it, so what is cut off is never read.)
 */
const withinBytes = (page: string) => `
  SELECT * FROM (
    SELECT list.*, count(*) OVER ()::int AS found, row_number() OVER so_far AS n, sum(
      400 + octet_length(title) + octet_length(description) + coalesce(octet_length("venueAddress"), 0)
    ) OVER so_far AS bytes
    FROM (${page}) AS list
    WINDOW so_far AS (ORDER BY key, id ROWS UNBOUNDED PRECEDING)
  ) AS list
  WHERE n = 1 OR bytes <= ${PAGE_BYTES}
  ORDER BY key, id`;

/** The great-circle distance of a chord through the unit sphere, in km to the metre. */
const kilometres = (chord: string) =>
  `round((2 * ${EARTH_RADIUS_KM} * asin(least(1, (${chord}) / 2)))::numeric, 3)::float8`;

/** What is farther than this chord is out of the radius, even if its distance is rounded down. */
const chordOutside = (radiusKm: number) => chordOfDistance(radiusKm + 0.001);

/** All of the words, the last one as a beginning. They are letters and digits only, so there is nothing to escape. */
const prefixQuery = (words: string[]) => `${words.map((word) => `'${word}'`).join(' & ')}:*`;
