import type { Statement } from '../database/statements';
import { IS_LISTED, IS_NOT_UNLISTED } from './event.entity';
import { EVENT, SEATS, type EventFilter, type EventKey } from './events.statements';
import { chordOfDistance, EARTH_RADIUS_KM } from './haversine';

/** Events that a page looks at, whatever is asked for; it may come short, and the next one goes on. */
export const CANDIDATES = 500;

/** A walk from place to place begins at the first each time, so it leads no farther. */
export const NEIGHBOURS = 5_000;

/**
 * Words are common that more than `COMMON` events have, to judge by `SAMPLE` of a table of more than `FEW_EVENTS`; fewer than
 * `CERTAIN` of the sample may be chance.
 */
const COMMON = 5_000;
const SAMPLE = 200;
const CERTAIN = 4;
const FEW_EVENTS = 10_000;

/** Before all times. */
const EARLIEST = `'0001-01-01'::timestamptz`;

/**
 * A page of events, planned for exactly the filters that are given, at a cost that has a bound for all of them.
 *
 * First it looks whether few have what an index finds: the organizer, the place, the words. Of one index after the
 * other it takes no more than `CANDIDATES`, and where these are all there are, it filters and sorts them. Otherwise it
 * takes the candidates off an index that yields them in the order of the list, and shows those that pass the filters.
 * Where these do not fill the page, `rest` says behind which one the next page goes on.
 *
 * The indexes hold listed events only, so that an unlisted one costs a page nothing.
 *
 * Positions are points of the unit sphere. The chord between two of them grows with their great-circle distance, so
 * the index that walks from point to point by the one (`<->`, nearest neighbour) does so by the other, and at one place
 * by the end and the id. What lies outside the radius comes last in that order and is cut off at the end. Until then it
 * passes the filters: so it fills the page and ends the walk, which would otherwise go round the Earth for what is not
 * to be found nearby.
 *
 * An organizer's own list has drafts and cancelled events, too. They stand in the index of organizers alone: where that one
 * finds too many to be sorted, their list comes in the order of the start.
 *
 * @returns a statement whose rows are those of the page, or one without an id where there are none; each has `rest`
 */
export function listEvents(
  filter: EventFilter,
  after: EventKey | undefined,
  limit: number,
): [Statement, unknown[]] {
  const values: unknown[] = [];
  const bind = (value: unknown, type: string) => `$${values.push(value)}::${type}`;

  const { near, words, sort, organizerId, isOwn, beyond } = filter;
  const queryOf = (text: string) => `to_tsquery('unaccented', fold_letters(${bind(text, 'text')}))`;
  const query = words && queryOf(prefixQuery(words));
  const center =
    near &&
    `unit_sphere_point(${bind(near.center.latitude, 'float8')}, ${bind(near.center.longitude, 'float8')})`;
  const radius = near && bind(near.radiusKm, 'float8');
  // Bound where it is used: PostgreSQL can't tell the type of a parameter that is not.
  const outside = () => bind(chordOutside(near?.radiusKm ?? 0), 'float8');
  const size = bind(limit, 'bigint');

  const columns = [
    'events.*',
    center && `position <-> ${center} AS chord`,
    sort === 'distance' && `end_time <-> ${EARLIEST} AS end_order, id <-> 0::bigint AS id_order`,
    sort === 'relevance' && `-ts_rank(search, ${query}) AS rank`,
  ];
  const key = { start_time: 'start_time', distance: 'chord', relevance: 'rank' }[sort];
  const order = sort === 'distance' ? 'chord, end_order, id_order' : `${key}, id`;
  const behind = (last: EventKey) => {
    if (last.length === 3) {
      const [chord, endTime, id] = last;
      return `(chord, end_time, id) > (${bind(chord, 'float8')}, ${bind(endTime, 'timestamptz')}, ${bind(id, 'bigint')})`;
    }
    const [first, id] = last;
    const type = sort === 'relevance' ? 'real' : 'timestamptz';
    return `(${key}, id) > (${bind(first, type)}, ${bind(id, 'bigint')})`;
  };
  // Pages go on behind both bounds; given both, the index would be entered at either, so the later one alone is it.
  const isBehindStart =
    sort === 'start_time' && after && (!filter.startsAfter || new Date(after[0]) >= filter.startsAfter);

  // least() ignores a null: an event without a place would be on the other side of the Earth.
  const isHere = near && `chord IS NOT NULL AND ${kilometres('chord')} <= ${radius}`;
  const hasWords = query && `search @@ ${query}`;
  const isListed = isOwn ? IS_NOT_UNLISTED : IS_LISTED;
  const isOrganizers = organizerId && `organizer_id = ${bind(organizerId, 'bigint')}`;
  const hasNotEnded = filter.hasNotEnded && 'end_time > now()';
  const starts = [
    filter.startsAfter && !isBehindStart && `start_time >= ${bind(filter.startsAfter, 'timestamptz')}`,
    filter.startsBefore && `start_time < ${bind(filter.startsBefore, 'timestamptz')}`,
  ];
  const isAvailable =
    filter.isAvailable &&
    `(SELECT held + sold < capacity FROM quotas WHERE event_id = events.id AND kind = 'event')`;
  const isBehind = after && behind(after);
  const isBeyond = beyond && behind(beyond);

  // An index in the order of the list finds the organizer's by itself.
  const few: Source[] = [];
  const isFound = filter.isWide === true || (sort === 'start_time' && isOrganizers);
  if (!isFound && isOrganizers) few.push({ finds: all([isListed, isOrganizers]) });
  if (!isFound && !isOwn && near && sort !== 'distance') {
    const isWithin = `position IS NOT NULL AND position <@ cube_enlarge(${center}, ${outside()}, 3)`;
    few.push({ finds: all([IS_LISTED, isWithin]), nearestFirst: true });
  }
  let sample: string | undefined;
  if (!isFound && !isOwn && query) {
    // The index gathers every event that has a word with this beginning, whatever the other words are.
    const isLonger = words.length > 1;
    const others = isLonger ? queryOf(wholeWords(words.slice(0, -1))) : query;
    const last = isLonger ? queryOf(prefixQuery(words.slice(-1))) : query;
    sample = sampleOf(query, others, last);
    few.push({
      finds: all([IS_LISTED, 'search @@ (SELECT query FROM sample)']),
      unless: '(SELECT is_common FROM sample)',
    });
  }
  const isMany = (i: number) => (i < 0 ? 'true' : `(SELECT is_many FROM many_${i})`);
  const isLastMany = isMany(few.length - 1);
  /** There is no walk in this order. */
  const isRanked = sort === 'relevance' || (sort === 'distance' && isOwn);
  // A ranking that was begun goes on, though more may have come.
  const most = isRanked && after ? 2 * CANDIDATES : CANDIDATES;
  const ctes = few.flatMap(({ finds, unless, nearestFirst }, i) => [
    `few_${i} AS MATERIALIZED (
      ${select(columns, 'events', [isMany(i - 1), unless && `NOT ${unless}`, finds])}
      ${nearestFirst ? 'ORDER BY chord' : ''} LIMIT ${most + 1}
    )`,
    `many_${i} AS MATERIALIZED (
      SELECT ${isMany(i - 1)} AND (count(*) > ${most} ${unless ? `OR ${unless}` : ''}) AS is_many FROM few_${i}
    )`,
  ]);
  if (sample) ctes.unshift(`sample AS MATERIALIZED (${sample})`);
  const tests = [isHere, hasWords, isOrganizers, hasNotEnded, ...starts, isAvailable, isBehind];
  const found = few.map((_, i) =>
    select(['*'], `few_${i} AS events`, [isMany(i - 1), `NOT ${isMany(i)}`, ...tests]),
  );

  const passes =
    sort === 'distance'
      ? all([hasWords, isOrganizers, ...starts, isAvailable])
      : all([isHere, hasWords, hasNotEnded, isAvailable, isBeyond]);
  const window = passes === '' ? size : String(CANDIDATES);
  const nearest = `${select(columns, 'events', ['position IS NOT NULL', isListed, hasNotEnded])} ORDER BY ${order} LIMIT ${NEIGHBOURS}`;
  const candidates =
    sort === 'distance'
      ? `${select(['*'], `(${nearest}) AS events`, [isBehind])} ORDER BY ${order} LIMIT ${window}`
      : `${select(columns, 'events', [isListed, isOrganizers, ...starts, isBehind])} ORDER BY ${order} LIMIT ${window}`;
  const walk = () =>
    select(['*'], `(${candidates}) AS events`, [
      isLastMany,
      sort === 'distance' && passes !== '' ? `(${passes} OR chord > ${outside()})` : passes,
    ]);
  const branches = isRanked ? found : [...found, walk()];

  const isShort = all([
    isLastMany,
    `(SELECT count(*) FROM page) < ${size}`,
    sort === 'distance' && `NOT EXISTS (SELECT FROM page WHERE page."distanceKm" > ${radius})`,
  ]);
  const lastKey = [`${key} AS "restKey"`, 'end_time AS "restEnd"', 'id AS "restId"'];
  const ends = {
    start_time: `${select(lastKey, `(${candidates}) AS events`, [isShort])} OFFSET ${CANDIDATES - 1}`,
    distance: `
      ${select(
        lastKey,
        `(
        SELECT *, row_number() OVER () AS walked,
          count(*) ${isBehind ? `FILTER (WHERE ${isBehind})` : ''} OVER (ROWS UNBOUNDED PRECEDING) AS seen
        FROM (${nearest}) AS events WHERE ${isShort}
      ) AS events`,
        [`(walked = ${NEIGHBOURS} OR seen = ${window})`],
      )} LIMIT 1`,
    relevance: NOTHING,
  };
  const rest = isRanked || (sort === 'start_time' && passes === '') ? NOTHING : ends[sort];

  const page = `
    SELECT page.*, ${SEATS}
    FROM page LEFT JOIN quotas ON quotas.event_id = page.id AND quotas.kind = 'event'
    ${near ? `WHERE page."distanceKm" <= ${radius}` : ''}`;
  const text = `
    WITH ${ctes.map((cte) => `${cte},`).join(' ')}
    page AS MATERIALIZED (
      SELECT ${EVENT}, ${key} AS key${near ? `, ${kilometres('chord')} AS "distanceKm"` : ''}
      FROM (${branches.join(' UNION ALL ')}) AS events
      ORDER BY ${order}
      LIMIT ${size}
    ),
    rest AS MATERIALIZED (${rest})
    SELECT shown.*, rest.*, ${isLastMany} AS "isMany"
    FROM (SELECT) AS one LEFT JOIN rest ON true
    LEFT JOIN (${withinBytes(page, sort === 'distance' ? 'key, "endTime", id' : 'key, id')}) AS shown ON true
    ORDER BY n`;
  return [{ text }, values];
}

const NOTHING = 'SELECT NULL AS "restKey", NULL AS "restEnd", NULL AS "restId"';

interface Source {
  /** An index has what this condition holds for. */
  finds: string;
  /** The index is not asked. */
  unless?: string;
  /** In this order PostgreSQL stops at the limit; else it may first gather all that the index finds. */
  nearestFirst?: boolean;
}

type Condition = string | false | 0 | undefined;

const all = (conditions: Condition[]) => conditions.filter(Boolean).join(' AND ');

const select = (columns: Condition[], from: string, conditions: Condition[]) =>
  `SELECT ${columns.filter(Boolean).join(', ')} FROM ${from} ${all(conditions) && `WHERE ${all(conditions)}`}`;

/**
 * What the index of words is asked for, as `query`: all of them, or the others where very many events have the last one; and
 * `is_common`: whether even these would give very many, to be thrown away. It looks at events all over the table.
 */
const sampleOf = (query: string, others: string, last: string) => `
  SELECT CASE WHEN is_last_common THEN others ELSE query END AS query,
    CASE WHEN is_last_common THEN number_of_others ELSE number END >= most AS is_common
  FROM (
    SELECT ${query} AS query, ${others} AS others, count(*) FILTER (WHERE search @@ ${query}) AS number,
      count(*) FILTER (WHERE search @@ ${others}) AS number_of_others,
      count(*) FILTER (WHERE search @@ ${last}) AS number_of_last
    FROM (SELECT min(id) AS first, max(id) AS last FROM events) AS ids, generate_series(0, ${SAMPLE - 1}) AS n,
      LATERAL (
        SELECT search FROM events WHERE id >= first + (last - first) * n / ${SAMPLE - 1} ORDER BY id LIMIT 1
      ) AS event
  ) AS counted, LATERAL (
    SELECT CASE WHEN EXISTS (SELECT FROM events OFFSET ${FEW_EVENTS})
      THEN greatest(${CERTAIN}, ${SAMPLE} * ${COMMON} / nullif(greatest(reltuples, 0), 0)) ELSE 'Infinity' END AS most
    FROM pg_class WHERE oid = 'events'::regclass
    OFFSET 0 -- once, however often it is compared with
  ) AS limits, LATERAL (SELECT number_of_last >= most AS is_last_common) AS last`;

/** What a page may weigh; 200 events of the longest texts would be 8 MB, in PostgreSQL, on the wire and in memory. */
const PAGE_BYTES = 256 * 1_024;

/**
 * The first rows of a page that weigh no more than `PAGE_BYTES`, and at least one; each tells how many there would be.
 * (The length of a text is known without reading it, and so is that of metadata, which are not compressed: what is cut
 * off is never read.)
 */
const withinBytes = (page: string, order: string) => `
  SELECT * FROM (
    SELECT list.*, count(*) OVER ()::int AS found, row_number() OVER so_far AS n, sum(
      500 + octet_length(title) + octet_length(description) + coalesce(octet_length("venueAddress"), 0)
      + pg_column_size(metadata)
    ) OVER so_far AS bytes
    FROM (${page}) AS list
    WINDOW so_far AS (ORDER BY ${order} ROWS UNBOUNDED PRECEDING)
  ) AS list
  WHERE n = 1 OR bytes <= ${PAGE_BYTES}`;

/** The great-circle distance of a chord through the unit sphere, in km to the metre. */
const kilometres = (chord: string) =>
  `round((2 * ${EARTH_RADIUS_KM} * asin(least(1, (${chord}) / 2)))::numeric, 3)::float8`;

/** An event farther than this chord is out of the radius, even if its distance is rounded down. */
const chordOutside = (radiusKm: number) => chordOfDistance(radiusKm + 0.001);

/** All of the words. They are letters and digits only, so there is nothing to escape. */
const wholeWords = (words: string[]) => words.map((word) => `'${word}'`).join(' & ');

/** All of the words, the last one as a beginning. */
const prefixQuery = (words: string[]) => `${wholeWords(words)}:*`;
