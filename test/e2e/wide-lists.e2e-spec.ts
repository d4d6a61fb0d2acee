import fc from 'fast-check';
import { Client } from 'pg';
import { IS_LISTED } from '../../src/events/event.entity';
import type { DistanceKey, EventFilter, EventKey } from '../../src/events/events.statements';
import { haversineKm } from '../../src/events/haversine';
import { CANDIDATES, listEvents, NEIGHBOURS } from '../../src/events/list-events';
import { sellEvents } from '../support/fill';
import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { TEST_ADMIN } from '../support/tokens';

/** All at once more than any list looks at: at one venue, of one organizer, with one word, at one time, sold out. */
const EVENTS = 24_000;
/** The rest lies all over the world. */
const AT_VENUE = 14_000;
/** As many again as a walk looks at, at that venue: nobody but their organizer sees them. */
const DRAFTS = 6_000;
const VENUE = { latitude: 51.5072, longitude: -0.1276 };
const EVERYWHERE = 20_038;
const DAY_MS = 86_400_000;

/**
 * What a page may read of events: what each of three indexes finds, a walk to the neighbours and its end once more, a
 * sample, and the count that tells whether there are many.
 */
const MOST_ROWS = 3 * (2 * CANDIDATES + 1) + 2 * (NEIGHBOURS + CANDIDATES) + 202 + 10_001;
/** Each of these in the heap and in an index, the places of the candidates, and the way down the indexes. */
const MOST_BLOCKS = 40_000;

interface Event {
  id: number;
  start: number;
  end: number;
  latitude: number;
  longitude: number;
  isAvailable: boolean;
  word: string;
}

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: Plan[];
}

describe('lists of very many events', () => {
  let database: TestDatabase;
  let client: Client;
  let api: TestApi;
  let events: Event[];

  beforeAll(async () => {
    database = await createDatabase();
    client = new Client({ connectionString: database.url });
    await client.connect();
    for (const statement of FILL) await client.query(statement);
    const { rows } = await client.query<Event>(
      `SELECT events.id::int, extract(epoch FROM start_time)::float8 * 1000 AS start, extract(epoch FROM end_time)::float8 * 1000 AS "end",
        venue_latitude AS latitude, venue_longitude AS longitude, held < capacity AS "isAvailable",
        split_part(title, ' ', 2) AS word
      FROM events JOIN quotas ON event_id = events.id WHERE status = 'published' AND unlisted_at IS NULL`,
    );
    events = rows;
    await client.query('SET enable_seqscan = off; SET jit = off; SET random_page_cost = 1.1');
    api = await startTestApi({ DATABASE_URL: database.url });
  }, 60_000);
  afterAll(async () => {
    await client.end();
    await api.stop();
    await database.drop();
  });

  async function explain(text: string, values: unknown[]): Promise<Plan> {
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      `EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT JSON) ${text}`,
      values,
    );
    return (rows[0] as (typeof rows)[0])['QUERY PLAN'][0].Plan;
  }

  const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
  const time = fc.constantFrom(
    ...[-400, -100, 0, 100, 400].map((days) => new Date(Date.now() + days * DAY_MS)),
  );
  const near = fc.record({
    center: fc.constantFrom(VENUE, { latitude: 23, longitude: 12 }),
    radiusKm: fc.constantFrom(0, 30, 2_000, EVERYWHERE),
  });
  const filters = fc
    .record({
      near: optional(near),
      words: optional(
        fc.constantFrom<string[][]>(
          ['c'],
          ['concert'],
          ['even'],
          ['odd', 'concert'],
          ['solo77', 'c'],
          ['early'],
          ['nonesuch'],
          ['solo77'],
        ),
      ),
      startsAfter: optional(time),
      startsBefore: optional(time),
      hasNotEnded: fc.boolean(),
      isAvailable: fc.boolean(),
      organizerId: optional(fc.constantFrom(TEST_ADMIN.id, 1_000_000)),
      isOwn: fc.boolean(),
      isWide: fc.boolean(),
      sort: fc.constantFrom('start_time' as const, 'distance' as const, 'relevance' as const),
    })
    .filter(({ sort, near, words }) => (sort !== 'distance' || !!near) && (sort !== 'relevance' || !!words))
    .map((filter) => (filter.sort === 'relevance' ? { ...filter, isWide: false } : filter))
    .map((filter) => {
      const isOwn = filter.isOwn && filter.organizerId !== undefined;
      return { ...filter, isOwn, isWide: filter.isWide && !(isOwn && filter.sort === 'distance') };
    });
  const id = fc.constantFrom(1, EVENTS / 2, EVENTS);

  it('cost at most so much, whatever is asked for', async () => {
    const asked = fc.record({
      filter: filters,
      isAfter: fc.boolean(),
      time,
      id,
      chord: fc.constantFrom(0, 1e-3, 0.5, 1.9),
    });
    const costs: number[] = [];
    const property = fc.asyncProperty(asked, async ({ filter, isAfter, time, id, chord }) => {
      const after: Record<EventFilter['sort'], EventKey> = {
        start_time: [time.toISOString(), id],
        relevance: [-0.5, id],
        distance: [chord, time.toISOString(), id],
      };
      const beyond: DistanceKey | undefined =
        filter.isWide && filter.near && filter.sort === 'start_time'
          ? [chord, time.toISOString(), id]
          : undefined;
      const [{ text }, values] = listEvents(
        { ...filter, beyond },
        isAfter ? after[filter.sort] : undefined,
        201,
      );
      const plan = await explain(text, values);
      expect(rowsRead(plan)).toBeLessThanOrEqual(MOST_ROWS);
      expect(blocksRead(plan)).toBeLessThanOrEqual(MOST_BLOCKS);
      costs.push(rowsRead(plan));
    });
    await fc.assert(property, { numRuns: 250 });
    expect(Math.max(...costs)).toBeGreaterThan(CANDIDATES);
  });

  it.each([[['early']], [['solo']], [['solo77', 'solo']], [['early', 'solo']]])(
    'ask the index of words for none that very many events have: %s',
    async (words) => {
      const [{ text }, values] = listEvents({ words, sort: 'relevance' }, undefined, 201);
      const isWalk = (node: Plan) => node['Index Name'] === 'events_search_idx' && node['Actual Loops'] > 0;
      const costOf = async (text: string, values: unknown[]) => {
        const walks = nodesOf(await explain(text, values)).filter(isWalk);
        return walks.reduce((sum, walk) => sum + walk['Actual Rows'] + 10 * blocksRead(walk), 0);
      };
      expect(await costOf(text, values)).toBeLessThan(CANDIDATES);
      const everything = `SELECT FROM events WHERE search @@ to_tsquery('simple', $1) AND ${IS_LISTED}`;
      expect(await costOf(everything, [`${words.join(' & ')}:*`])).toBeGreaterThan(2 * CANDIDATES);
    },
  );

  it('would not, if all that passes were read to be sorted', async () => {
    const plan = await explain(
      `SELECT * FROM events WHERE search @@ to_tsquery('concert') ORDER BY position <-> $1::cube LIMIT 201`,
      ['(1,0,0)'],
    );
    expect(rowsRead(plan)).toBeGreaterThan(2 * CANDIDATES);
    expect(rowsRead(plan)).toBeGreaterThanOrEqual(EVENTS);
  });

  const byStart = (a: Event, b: Event) => a.start - b.start || a.id - b.id;
  const km = (event: Event) => haversineKm(VENUE, event);
  const byDistance = (a: Event, b: Event) => km(a) - km(b) || a.end - b.end || a.id - b.id;
  const nearVenue = `near=${VENUE.latitude},${VENUE.longitude}`;
  const isNear = (event: Event) => km(event) <= 30;

  it.each([
    ['with places', 'available=true', (event: Event) => event.isAvailable],
    ['at the venue', nearVenue, isNear],
    [
      'at the venue with places',
      `${nearVenue}&available=true`,
      (event: Event) => isNear(event) && event.isAvailable,
    ],
    ['with a common word', 'q=odd', ({ word }: Event) => word === 'odd'],
    [
      'with a common word and places',
      'q=odd&available=true',
      (event: Event) => event.word === 'odd' && event.isAvailable,
    ],
    [
      'with a rare word',
      'q=solo1234&sort=start_time',
      ({ id }: Event) => id === 1234 || (id >= 12_340 && id < 12_350),
    ],
  ])('come once each and in order: %s', async (_what, query, passes) => {
    const pages = await api.client.pages<Event>(`/events/?${query}&limit=200`);
    expect(pages.flat().map(({ id }) => id)).toEqual(
      events
        .filter(passes)
        .sort(byStart)
        .map(({ id }) => id),
    );
  });

  it('come once each, the nearest in order of their distance and the others in that of their start', async () => {
    const pages = await api.client.pages<Event>(
      `/events/?${nearVenue}&sort=distance&available=true&limit=200`,
    );
    const within = events.filter(isNear).sort(byDistance);
    const available = ({ isAvailable }: Event) => isAvailable;
    const expected = [
      ...within.slice(0, NEIGHBOURS).filter(available),
      ...within.slice(NEIGHBOURS).filter(available).sort(byStart),
    ];
    expect(expected.length).toBeGreaterThan(NEIGHBOURS / 2);
    expect(pages.flat().map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
  });

  it.each(['', `&${nearVenue}&sort=distance`, '&q=concert'])(
    'come once each and in the order of their start with their drafts, where they are their own: %s',
    async (query) => {
      const pages = await api.client.pages<Event & { status: string; start_time: string }>(
        `/events/?organizer_id=${TEST_ADMIN.id}${query}&limit=200`,
      );
      const found = pages.flat();
      const isHere = query.includes('near') ? AT_VENUE : EVENTS;
      expect(found.length).toBeGreaterThanOrEqual(isHere + DRAFTS);
      expect(found.filter(({ status }) => status === 'draft')).toHaveLength(DRAFTS);
      expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
      const starts = found.map(({ start_time }) => start_time);
      expect(starts).toEqual([...starts].sort());
    },
    60_000,
  );
});

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** Of the table of events and its indexes; a page of few rows may look at many. */
const rowsRead = (plan: Plan) =>
  nodesOf(plan)
    .filter((node) => node['Relation Name'] === 'events' || node['Node Type'] === 'Bitmap Index Scan')
    .reduce(
      (sum, node) =>
        sum +
        node['Actual Loops'] *
          (node['Actual Rows'] +
            (node['Rows Removed by Filter'] ?? 0) +
            (node['Rows Removed by Index Recheck'] ?? 0)),
      0,
    );

const blocksRead = (plan: Plan) => plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];

/** Without triggers, which would take most of the time: what they set is set here. */
const FILL = [
  `ALTER TABLE events DISABLE TRIGGER USER`,
  `INSERT INTO events (organizer_id, status, title, start_time, end_time, venue_latitude, venue_longitude, position, search)
  SELECT ${TEST_ADMIN.id}, status, title, start_time, start_time + interval '3 hours', latitude, longitude,
    unit_sphere_point(latitude, longitude), setweight(to_tsvector('unaccented', title), 'A')
  FROM (
    SELECT CASE WHEN n > ${EVENTS} THEN 'draft' ELSE 'published' END AS status,
      'Concert ' || CASE n % 2 WHEN 0 THEN 'even' ELSE 'odd' END || ' solo' || n
        || CASE WHEN n < ${EVENTS} / 2 THEN ' early' ELSE '' END AS title,
      date_trunc('hour', now()) + (n * 7 % 10007 - 5000) / 4 * interval '2 hours' AS start_time,
      CASE WHEN isHere THEN ${VENUE.latitude} ELSE degrees(asin(2 * (n * 7919 % 100003) / 100003.0 - 1)) END AS latitude,
      CASE WHEN isHere THEN ${VENUE.longitude} ELSE (n * 104729 % 100019) / 100019.0 * 360 - 180 END AS longitude
    FROM (
      SELECT n, n <= ${AT_VENUE} OR n > ${EVENTS} AS isHere FROM generate_series(1, ${EVENTS + DRAFTS}::bigint) AS n
    ) AS series
  ) AS event`,
  // The first in the order of their start are sold out but for a few, of the others every fifth.
  sellEvents(`
    SELECT id, 100, CASE WHEN (n < ${EVENTS} * 0.4 AND n % 1000 > 0) OR n % 5 = 0 THEN 100 ELSE 0 END, 0
    FROM (SELECT id, row_number() OVER (ORDER BY start_time, id) AS n FROM events) AS event`),
  // As many again that are in no list, before and between the others, and all with places.
  `INSERT INTO events (organizer_id, title, start_time, end_time, venue_latitude, venue_longitude, position, search, unlisted_at)
  SELECT organizer_id, title, start_time - interval '1 hour', end_time - interval '1 hour', venue_latitude, venue_longitude,
    position, search, now() FROM events`,
  sellEvents('SELECT id, 100, 0, 0 FROM events WHERE unlisted_at IS NOT NULL'),
  `ALTER TABLE events ENABLE TRIGGER USER`,
  `VACUUM ANALYZE events, quotas, ticket_types`,
];
