import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { readSettings } from '../../src/config/settings';
import { Statements, type Statement } from '../../src/database/statements';
import { TixxetyDataSource } from '../../src/database/tixxety-data-source';
import { eventById, type EventFilter, type EventKey } from '../../src/events/events.statements';
import { listEvents } from '../../src/events/list-events';
import { cursorAfter, PageQuery } from '../../src/http/page';
import { PLACE_HOLDS } from '../../src/inventory/place-holds.statement';
import {
  RELEASE_DUE_HOLDS,
  RELEASE_DUE_HOLDS_OF_EVENTS,
} from '../../src/inventory/release-due-holds.statements';
import { RESOLVE_HOLDS } from '../../src/inventory/resolve-holds.statement';
import { LIST_SESSIONS } from '../../src/users/sessions.repository';
import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';

const EVENTS = 100_000;
const USERS = 20_000;
const TICKETS = 200_000;
const SESSIONS = 50_000;
/** In London, and not over. */
const LONDON_EVENTS = 500;

/** A user with a hundredth of all events, tickets and sessions. */
const COLLECTOR = 1;

const DAY_MS = 86_400_000;
const LONDON = { center: { latitude: 51.5072, longitude: -0.1276 }, radiusKm: 30 };
const SAHARA = { center: { latitude: 23, longitude: 12 }, radiusKm: 30 };
const tomorrow = new Date(Date.now() + DAY_MS);
const nextWeek = new Date(Date.now() + 7 * DAY_MS);

/** When a token was issued: later than all accounts. */
const NOW = Math.floor(Date.now() / 1_000) + 600;
const LAST_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Statements and what stands behind their parameters, as values and as EXECUTE takes them. */
const STATEMENTS: [string, Statement, values: unknown[], literals: string, indexes: string[]][] = [
  ['an event', eventById, [5_000], '5000', ['events_pkey', 'inventory_pkey']],
  [
    'reserving',
    PLACE_HOLDS,
    [[1, 2], [3, 4], 120, 10, 600, 100, [NOW, null]],
    `'{1,2}', '{3,4}', 120, 10, 600, 100, '{${NOW},NULL}'`,
    ['events_pkey', 'inventory_pkey', 'users_pkey'],
  ],
  [
    'settling',
    RESOLVE_HOLDS,
    [[1, 2], ['paid', 'cancelled'], [1, null], [], 100, [NOW, null]],
    `'{1,2}', '{paid,cancelled}', '{1,NULL}', '{}', 100, '{${NOW},NULL}'`,
    ['inventory_pkey', 'tickets_pkey', 'users_pkey'],
  ],
  [
    'the sessions of a user',
    LIST_SESSIONS,
    [1, 'infinity', LAST_UUID, 51, NOW],
    `1, 'infinity', '${LAST_UUID}', 51, ${NOW}`,
    ['sessions_user_id_expires_at_id_idx', 'users_pkey'],
  ],
  [
    'releasing',
    RELEASE_DUE_HOLDS,
    [1_000, '-infinity', [], 100],
    `1000, '-infinity', '{}', 100`,
    ['inventory_pkey', 'tickets_due_idx', 'tickets_pkey'],
  ],
  [
    'releasing for events',
    RELEASE_DUE_HOLDS_OF_EVENTS,
    [[1, 2], 1_000, ['-infinity', '-infinity'], [], 100],
    `'{1,2}', 1000, '{-infinity,-infinity}', '{}', 100`,
    ['inventory_pkey', 'tickets_event_due_idx', 'tickets_pkey'],
  ],
];

const BY_START = 'events_start_time_id_idx';
const BY_ORGANIZER = 'events_organizer_id_start_time_id_idx';
const BY_PLACE = 'events_position_end_time_id_idx';
const BY_WORD = 'events_search_idx';

/** How a list is read: by which index, in which order the index yields it, and what it is entered at. */
const LISTS: [string, EventFilter, EventKey | undefined, Walk][] = [
  ['all events', { sort: 'start_time' }, undefined, { index: BY_START }],
  [
    'the page after',
    { sort: 'start_time' },
    [tomorrow.toISOString(), 7],
    { index: BY_START, isEntered: true },
  ],
  [
    'the page after, from a day on',
    { sort: 'start_time', startsAfter: tomorrow },
    [nextWeek.toISOString(), 7],
    { index: BY_START, isEntered: true },
  ],
  [
    'events of a week',
    { sort: 'start_time', startsAfter: tomorrow, startsBefore: nextWeek },
    undefined,
    { index: BY_START, isEntered: true },
  ],
  [
    'events of an organizer',
    { sort: 'start_time', organizerId: COLLECTOR },
    undefined,
    { index: BY_ORGANIZER, isEntered: true },
  ],
  [
    'the page after, of an organizer with few events',
    { sort: 'start_time', organizerId: 2 },
    [tomorrow.toISOString(), 7],
    { index: BY_ORGANIZER, isEntered: true },
  ],
  ['events with places', { sort: 'start_time', isAvailable: true }, undefined, { index: BY_START }],
  [
    'events nearby',
    { sort: 'distance', near: LONDON, hasNotEnded: true },
    undefined,
    { index: BY_PLACE, isByDistance: true },
  ],
  [
    'the page after nearby',
    { sort: 'distance', near: LONDON },
    [0.001, tomorrow.toISOString(), 7],
    { index: BY_PLACE, isByDistance: true },
  ],
  [
    'events nearby with places, of a week',
    {
      sort: 'distance',
      near: LONDON,
      hasNotEnded: true,
      isAvailable: true,
      startsAfter: tomorrow,
      startsBefore: nextWeek,
    },
    undefined,
    { index: BY_PLACE, isByDistance: true },
  ],
];

interface Walk {
  index: string;
  /** Not read from its beginning. */
  isEntered?: boolean;
  isByDistance?: boolean;
}

/** Lists that an index finds, as long as they are few: PostgreSQL sorts those. */
const FOUND: [string, EventFilter, string[]][] = [
  ['by words', { sort: 'relevance', words: ['concert', '17'] }, [BY_WORD]],
  ['by the beginning of a word', { sort: 'relevance', words: ['solo77'] }, [BY_WORD]],
  ['by words, in the order of the start', { sort: 'start_time', words: ['solo777'] }, [BY_WORD]],
  ['around a place, in the order of the start', { sort: 'start_time', near: LONDON }, [BY_PLACE]],
  ['by words around a place', { sort: 'relevance', words: ['solo777'], near: LONDON }, [BY_PLACE, BY_WORD]],
  [
    'by words around a place, nearest first',
    { sort: 'distance', words: ['solo777'], near: LONDON },
    [BY_PLACE, BY_WORD],
  ],
  [
    'of an organizer, nearest first',
    { sort: 'distance', organizerId: 2, near: LONDON },
    [BY_ORGANIZER, BY_PLACE],
  ],
];

interface Plan {
  'Node Type': string;
  'Subplan Name'?: string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  'Order By'?: string;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Join Filter'?: number;
  'Shared Hit Blocks'?: number;
  'Shared Read Blocks'?: number;
  Plans?: Plan[];
}

describe('in a large database', () => {
  let database: TestDatabase;
  let client: Client;

  beforeAll(async () => {
    database = await createDatabase();
    client = new Client({ connectionString: database.url });
    await client.connect();
    for (const statement of FILL) await client.query(statement);
  }, 120_000);
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  async function explain(text: string, values: unknown[] = [], options = ''): Promise<Plan[]> {
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      `EXPLAIN (FORMAT JSON${options}) ${text}`,
      values,
    );
    return rows.flatMap((row) => nodesOf(row['QUERY PLAN'][0].Plan));
  }

  /** Runs the statement for the sake of its figures, and undoes it. */
  const analyze = (text: string, values: unknown[]) =>
    undone(() => explain(text, values, ', ANALYZE, BUFFERS'));

  async function undone<Result>(work: () => Promise<Result>): Promise<Result> {
    await client.query('BEGIN');
    try {
      return await work();
    } finally {
      await client.query('ROLLBACK');
    }
  }

  describe.each(STATEMENTS)('%s', (_name, { text }, values, literals, indexes) => {
    it('planned for its values reads by indexes alone', async () => {
      expectIndexes(await explain(text, values), indexes);
    });

    it('planned once for any values reads by indexes alone', async () => {
      expectIndexes(await explainGeneric(text, literals), indexes);
    });

    // The indexes of primary keys can't be dropped alone.
    const ownIndexes = indexes.filter((index) => index.endsWith('_idx'));
    for (const index of ownIndexes) {
      it(`would be missed without ${index}`, async () => {
        const plan = await undone(async () => {
          await client.query(`DROP INDEX ${index}`);
          return await explain(text, values);
        });
        expect(() => expectIndexes(plan, indexes)).toThrow();
      });
    }
  });

  async function explainGeneric(text: string, literals: string): Promise<Plan[]> {
    await client.query('SET plan_cache_mode = force_generic_plan');
    await client.query(`PREPARE statement AS ${text}`);
    try {
      return await explain(`EXECUTE statement (${literals})`);
    } finally {
      await client.query('DEALLOCATE statement; RESET plan_cache_mode');
    }
  }

  describe.each(LISTS)('the list of %s', (_name, filter, after, walk) => {
    const [{ text }, values] = listEvents(filter, after, 51);

    it('is walked in order', async () => {
      expectWalk(await explain(text, values), walk);
    });

    it('would not be without its index', async () => {
      const plan = await undone(async () => {
        await client.query(`DROP INDEX ${walk.index}`);
        return await explain(text, values);
      });
      expect(() => expectWalk(plan, walk)).toThrow();
    });
  });

  function expectWalk(plan: Plan[], { index, isEntered, isByDistance }: Walk): void {
    expectIndexes(plan, [index, 'inventory_pkey']);
    const [walk] = plan.filter((node) => node['Index Name'] === index);
    expect(walk?.['Node Type']).toMatch(/^Index (Only )?Scan$/);
    if (isEntered) expect(walk?.['Index Cond']).toMatch(/start_time|organizer_id/);
    if (isByDistance) expect(walk?.['Order By']).toMatch(/<->/);
    else expect(walk?.['Order By']).toBeUndefined();
    // Nothing but the page itself is to be sorted.
    expect(plan.slice(1).map((node) => node['Node Type'])).not.toContain('Sort');
  }

  describe.each(FOUND)('the list of events %s', (_name, filter, indexes) => {
    const [{ text }, values] = listEvents(filter, undefined, 51);

    it('is found by an index', async () => {
      expectFound(await explain(text, values), indexes);
    });

    it.each(indexes)('would not be without %s', async (index) => {
      const plan = await undone(async () => {
        await client.query(`DROP INDEX ${index}`);
        return await explain(text, values);
      });
      expect(() => expectFound(plan, indexes)).toThrow();
    });
  });

  /** Beside what finds them there is the walk for the case that too many are found, and a look at the newest. */
  function expectFound(plan: Plan[], indexes: string[]): void {
    const others = [BY_START, 'events_pkey'].filter((index) => !indexes.includes(index));
    const used = plan.filter((node) => !others.includes(node['Index Name'] ?? ''));
    expectIndexes(used, [...indexes, 'inventory_pkey']);
  }

  describe('what TypeORM writes', () => {
    let api: TestApi;
    const queries: [text: string, values: unknown[]][] = [];

    beforeAll(async () => {
      api = await startTestApi({ DATABASE_URL: database.url });
      const ignore = () => undefined;
      api.app.get(DataSource).setOptions({
        logging: ['query'],
        logger: {
          logQuery: (text, values) => queries.push([text, values as unknown[]]),
          logQueryError: ignore,
          logQuerySlow: ignore,
          logSchemaBuild: ignore,
          logMigration: ignore,
          log: ignore,
        },
      });
      const repositories = api.app.get(Statements);
      const list = repositories.list.bind(repositories);
      jest.spyOn(repositories, 'list').mockImplementation((statement, values) => {
        queries.push([statement.text, values]);
        return list(statement, values);
      });
    });
    afterAll(() => api.stop());

    it.each([
      ['/users/15000', 'users_pkey'],
      ['/tickets/150000', 'tickets_pkey'],
      [`/users/${COLLECTOR}/tickets`, 'tickets_user_id_id_idx'],
      [
        `/users/${COLLECTOR}/tickets?cursor=${cursorAfter([100_000], new PageQuery())}`,
        'tickets_user_id_id_idx',
      ],
    ])('for %s reads by %s alone', async (path, index) => {
      queries.length = 0;
      expect((await api.client.get(path)).status).toBe(200);
      expect(queries).toHaveLength(1);
      const plan = await explain(...(queries[0] as [string, unknown[]]));
      expectIndexes(plan, [index]);
      expect(plan.map((node) => node['Node Type'])).not.toContain('Sort');
    });
  });

  it.each([
    ['where all is sold out', { isAvailable: true }, LONDON, LONDON_EVENTS],
    ['where nothing begins so soon', { startsBefore: new Date(0) }, LONDON, LONDON_EVENTS],
    ['where there is nothing at all', { isAvailable: true }, SAHARA, 0],
  ])('the walk to events nearby ends at the radius %s', async (_name, filter, near, within) => {
    const [{ text }, values] = listEvents(
      { ...filter, near, hasNotEnded: true, sort: 'distance' },
      undefined,
      51,
    );
    const plan = await analyze(text, values);
    const [walk] = plan.filter((node) => node['Order By']);
    expect(walk?.['Index Name']).toBe(BY_PLACE);
    expect(rowsReadBy(walk)).toBeLessThanOrEqual(within + 51 + 1);
    const { rows } = await client.query<{ id: number | null }>(text, values);
    expect(rows.map(({ id }) => id)).toEqual([null]);
  });

  describe('in a rush that the statistics do not know of', () => {
    const HOLDS = 20_000;

    beforeAll(async () => {
      await client.query(`ALTER TABLE tickets SET (autovacuum_enabled = false)`);
      await client.query(`DELETE FROM tickets WHERE status = 'reserved'`);
      await client.query('VACUUM ANALYZE tickets');
      await client.query(
        `INSERT INTO tickets (user_id, event_id, status, created_at, expires_at)
        SELECT 1 + n % ${USERS}, 1 + n % 1000, 'reserved', now(), now() + (n % 2 - 0.5) * interval '1 hour'
        FROM generate_series(1, ${HOLDS}) AS n`,
      );
      await client.query('UPDATE inventory SET held = 20 WHERE event_id <= 1000');
    });

    it('the live holds of one user are found among those of all', async () => {
      const users = Array.from({ length: 10 }, (_, i) => i + 1);
      const [count] = await analyze('SELECT * FROM count_holds($1::bigint[], $1::bigint[], 30, 600)', [
        users,
      ]);
      expect(count?.['Actual Rows']).toBe(10);
      expect(pagesReadBy(count)).toBeLessThan(200);
    });

    it('releasing takes time for the holds it ends, not for their product with the events', async () => {
      const plan = await analyze(RELEASE_DUE_HOLDS.text, [1_000, '-infinity', [], 100]);
      expect(rowsOf(plan, 'CTE expired')).toBe(1_000);
      expectNoComparing(plan);
      const events = Array.from({ length: 128 }, (_, i) => i + 1);
      const since = events.map(() => '-infinity');
      const ofEvents = await analyze(RELEASE_DUE_HOLDS_OF_EVENTS.text, [events, 1_000, since, [], 100]);
      expect(rowsOf(ofEvents, 'CTE expired')).toBe(1_000);
      expectNoComparing(ofEvents);
    });

    it('so does paying', async () => {
      const { rows } = await client.query<{ ids: number[] }>(
        `SELECT array_agg(id) AS ids FROM (
          SELECT id FROM tickets WHERE status = 'reserved' AND expires_at > now() ORDER BY id LIMIT 128
        ) AS live`,
      );
      const plan = await analyze(RESOLVE_HOLDS.text, [
        rows[0]?.ids,
        Array(128).fill('paid'),
        Array(128).fill(null),
        [],
        100,
        Array(128).fill(NOW),
      ]);
      expect(plan[0]?.['Actual Rows']).toBe(128);
      expectNoComparing(plan);
    });
  });
});

describe('while there are few tickets', () => {
  let database: TestDatabase;
  let api: TixxetyDataSource;

  beforeAll(async () => {
    database = await createDatabase();
    await database.sql(`WITH event AS (
        INSERT INTO events (title, start_time, end_time) VALUES ('Concert', '2099-01-01', '2099-01-01') RETURNING id
      ), person AS (INSERT INTO users (name, email) VALUES ('Ada', 'ada@example.com') RETURNING id)
      INSERT INTO tickets (user_id, event_id, status, created_at, expires_at)
      SELECT person.id, event.id, 'expired', now(), now() FROM person, event, generate_series(1, 700)`);
    api = await new TixxetyDataSource(readSettings({ DATABASE_URL: database.url }), 'api').initialize();
  });
  afterAll(async () => {
    await api.destroy();
    await database.drop();
  });

  // A connection keeps its plan while they become many, until they are analyzed again.
  it.each([
    ['settling', RESOLVE_HOLDS, `'{1,2}', '{paid,cancelled}', '{1,NULL}', '{}', 100, '{1,NULL}'`],
    [
      'releasing for events',
      RELEASE_DUE_HOLDS_OF_EVENTS,
      `'{1,2}', 1000, '{-infinity,-infinity}', '{}', 100`,
    ],
  ])('the API prepares %s for many', async (_name, { text }, literals) => {
    const session = api.createQueryRunner();
    await session.query('SET plan_cache_mode = force_generic_plan');
    await session.query(`PREPARE statement AS ${text}`);
    const rows: { 'QUERY PLAN': [{ Plan: Plan }] }[] = await session.query(
      `EXPLAIN (FORMAT JSON) EXECUTE statement (${literals})`,
    );
    await session.query('DEALLOCATE statement');
    await session.release();
    const plan = rows.flatMap((row) => nodesOf(row['QUERY PLAN'][0].Plan));
    const scans = plan.filter(
      (node) => node['Relation Name'] === 'tickets' && node['Node Type'].endsWith('Scan'),
    );
    expect(scans.length).toBeGreaterThan(1);
    expect(scans.filter((scan) => !scan['Index Cond'])).toEqual([]);
  });
});

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** PostgreSQL reads no table from end to end, and uses just these indexes. */
function expectIndexes(plan: Plan[], indexes: string[]): void {
  expect(
    plan.filter((node) => node['Node Type'].endsWith('Seq Scan')).map((node) => node['Relation Name']),
  ).toEqual([]);
  const used = plan.flatMap((node) => node['Index Name'] ?? []);
  expect([...new Set(used)].sort()).toEqual([...indexes].sort());
}

/** No set of rows is joined with another by comparing each with each. */
function expectNoComparing(plan: Plan[]): void {
  const compared = plan.map(
    (node) => (node['Rows Removed by Join Filter'] ?? 0) * (node['Actual Loops'] ?? 1),
  );
  expect(Math.max(...compared)).toBeLessThan(1_000);
}

const rowsOf = (plan: Plan[], name: string) =>
  plan.find((node) => node['Subplan Name'] === name)?.['Actual Rows'];

const rowsReadBy = (node: Plan | undefined) =>
  ((node?.['Actual Rows'] ?? 0) + (node?.['Rows Removed by Filter'] ?? 0)) * (node?.['Actual Loops'] ?? 0);

const pagesReadBy = (node: Plan | undefined) =>
  (node?.['Shared Hit Blocks'] ?? 0) + (node?.['Shared Read Blocks'] ?? 0);

/** Without triggers and foreign keys, which would take most of the time: what the triggers set is set here. */
const FILL = [
  `ALTER TABLE events DISABLE TRIGGER USER`,
  `ALTER TABLE events DROP CONSTRAINT events_organizer_id_fkey`,
  `ALTER TABLE sessions DROP CONSTRAINT sessions_user_id_fkey`,
  `ALTER TABLE inventory DROP CONSTRAINT inventory_event_id_fkey`,
  `ALTER TABLE tickets DROP CONSTRAINT tickets_user_id_fkey, DROP CONSTRAINT tickets_event_id_fkey`,
  `INSERT INTO users (name, email) SELECT 'User ' || n, n || '@example.com' FROM generate_series(1, ${USERS}) AS n`,
  // All over the world, half of them over; at the end those of one city. Everything is sold out.
  `INSERT INTO events (organizer_id, title, start_time, end_time, venue_latitude, venue_longitude, position, search)
  SELECT organizer_id, title, start_time, start_time + interval '3 hours', latitude, longitude,
    unit_sphere_point(latitude, longitude), setweight(to_tsvector('unaccented', title), 'A')
  FROM (
    SELECT CASE WHEN n % 100 = 1 THEN ${COLLECTOR} ELSE 1 + n % ${USERS} END AS organizer_id,
      'Concert ' || n % 1000 || ' solo' || n AS title,
      CASE WHEN isLondon THEN now() + interval '30 days' ELSE now() + (n * 7 % 20011 - 10000) * interval '30 minutes' END
        AS start_time,
      CASE WHEN isLondon THEN 51.5072 + n % 10 / 100.0 ELSE degrees(asin(2 * (n * 7919 % 100003) / 100003.0 - 1)) END
        AS latitude,
      CASE WHEN isLondon THEN -0.1276 + n % 7 / 100.0 ELSE (n * 104729 % 100019) / 100019.0 * 360 - 180 END
        AS longitude
    FROM (SELECT n, n > ${EVENTS - LONDON_EVENTS} AS isLondon FROM generate_series(1, ${EVENTS}::bigint) AS n) AS series
  ) AS event`,
  `INSERT INTO inventory (event_id, capacity, held) SELECT id, 100, 100 FROM events`,
  `INSERT INTO tickets (user_id, event_id, status, created_at, expires_at, paid_at)
  SELECT CASE WHEN n % 100 = 1 THEN ${COLLECTOR} ELSE 1 + n % ${USERS} END, 1 + n % ${EVENTS - LONDON_EVENTS}, status, now(), expires_at, CASE status WHEN 'paid' THEN now() END
  FROM (
    SELECT n, (ARRAY['paid', 'paid', 'expired', 'cancelled'])[1 + n % 4] AS status, now() + interval '1 hour' AS expires_at
    FROM generate_series(1, ${TICKETS}) AS n WHERE n % 50 > 0
    UNION ALL
    SELECT n, 'reserved', now() + (n % 100 - 10) * interval '1 minute'
    FROM generate_series(1, ${TICKETS}) AS n WHERE n % 50 = 0
  ) AS ticket`,
  `INSERT INTO sessions (id, user_id, token_hash, expires_at)
  SELECT gen_random_uuid(), CASE WHEN n % 100 = 1 THEN ${COLLECTOR} ELSE 1 + n % ${USERS} END, '', now() + n * interval '1 minute'
  FROM generate_series(1, ${SESSIONS}) AS n`,
  `ALTER TABLE inventory ADD CONSTRAINT inventory_event_id_fkey FOREIGN KEY (event_id) REFERENCES events (id)`,
  `ALTER TABLE tickets
    ADD CONSTRAINT tickets_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
    ADD CONSTRAINT tickets_event_id_fkey FOREIGN KEY (event_id) REFERENCES events (id)`,
  `VACUUM ANALYZE users, events, inventory, tickets, sessions`,
];
