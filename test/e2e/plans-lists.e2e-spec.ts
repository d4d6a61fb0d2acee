import type { Client } from 'pg';
import { Statements } from '../../src/database/statements';
import type { EventFilter, EventKey } from '../../src/events/events.statements';
import { listEvents } from '../../src/events/list-events';
import { startTestApi, type TestApi } from '../support/api';
import type { TestDatabase } from '../support/databases';
import { COLLECTOR, createLargeDatabase, LONDON_EVENTS, sellMuchOf } from '../support/large-database';
import { expectIndexes, explainBy, rowsReadBy, type Plan } from '../support/plan';

const DAY_MS = 86_400_000;
const LONDON = { center: { latitude: 51.5072, longitude: -0.1276 }, radiusKm: 30 };
const SAHARA = { center: { latitude: 23, longitude: 12 }, radiusKm: 30 };
const tomorrow = new Date(Date.now() + DAY_MS);
const nextWeek = new Date(Date.now() + 7 * DAY_MS);

const BY_START = 'events_start_time_id_idx';
const BY_ORGANIZER = 'events_listed_organizer_id_start_time_id_idx';
const BY_OWN = 'events_organizer_id_start_time_id_idx';
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
  [
    'events of an organizer, with their drafts',
    { sort: 'start_time', organizerId: COLLECTOR, isOwn: true },
    undefined,
    { index: BY_OWN, isEntered: true },
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
  [
    'of an organizer, with their drafts, nearest first',
    { sort: 'distance', organizerId: 2, isOwn: true, near: LONDON },
    [BY_OWN],
  ],
  [
    'of an organizer, with their drafts, by words',
    { sort: 'relevance', organizerId: 2, isOwn: true, words: ['concert'] },
    [BY_OWN],
  ],
];

/** An event with many orders, types, quotas and codes, and one with hardly any. */
const [MANY, FEW] = [7, 13];
const ORDER_ROWS = ['orders_event_id_id_idx', 'users_pkey'];
const ORDER_PAGE = [
  'orders_event_id_id_idx',
  'orders_pkey',
  'ticket_types_pkey',
  'tickets_order_id_idx',
  'users_pkey',
];
const TYPES = ['events_pkey', 'quotas_pkey', 'ticket_types_event_idx'];

/** Lists, and the indexes that they are read by. */
const SALES: [path: string, indexes: string[]][] = [
  ['orders', ORDER_PAGE],
  ['orders?status=paid', ORDER_PAGE],
  ['orders?q=nobody@example.com', ORDER_ROWS],
  ['orders?status=held&q=nobody', ORDER_ROWS],
  ['payments', ['payments_event_id_id_idx']],
  ['ticket-types', TYPES],
  ['quotas', ['quotas_event_id_id_idx', 'ticket_types_event_idx']],
  ['codes', ['codes_event_id_code_key_idx', 'quotas_pkey']],
];

describe('in a large database', () => {
  let database: TestDatabase;
  let client: Client;

  beforeAll(async () => {
    [database, client] = await createLargeDatabase();
  }, 120_000);
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  const { explain, analyze, undone } = explainBy(() => client);

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
    expectIndexes(plan, [index, 'quotas_event_idx']);
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

  /** Beside what finds them there is the walk for the case that too many are found, and a sample of all events. */
  function expectFound(plan: Plan[], indexes: string[]): void {
    const others = [BY_START, 'events_pkey', 'pg_class_oid_index'].filter(
      (index) => !indexes.includes(index),
    );
    const used = plan.filter((node) => !others.includes(node['Index Name'] ?? ''));
    expectIndexes(used, [...indexes, 'quotas_event_idx']);
  }

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

  describe('what an event sells', () => {
    let api: TestApi;
    const queries: [text: string, values: unknown[]][] = [];

    beforeAll(async () => {
      for (const statement of sellMuchOf(MANY)) await client.query(statement);
      api = await startTestApi({ DATABASE_URL: database.url });
      const statements = api.app.get(Statements);
      const list = statements.list.bind(statements);
      jest.spyOn(statements, 'list').mockImplementation((statement, values) => {
        queries.push([statement.text, values]);
        return list(statement, values);
      });
    }, 120_000);
    afterAll(() => api.stop());

    /** The plans of all that a list asks for. */
    async function plansOf(path: string): Promise<Plan[]> {
      queries.length = 0;
      expect((await api.client.get(path)).status).toBe(200);
      expect(queries.length).toBeGreaterThan(0);
      const plans = [];
      for (const [text, values] of queries) plans.push(...(await explain(text, values)));
      return plans;
    }

    describe.each(SALES)('/events/{event_id}/%s', (path, indexes) => {
      it.each([
        ['many', MANY],
        ['few', FEW],
      ])('of %s rows is read by its indexes alone', async (_name, event) => {
        const plan = await plansOf(`/events/${event}/${path}`);
        expectIndexes(plan, indexes);
      });
    });

    it.each([
      ['many', COLLECTOR],
      ['few', 2],
    ])('/users/{user_id}/orders of %s rows is read by its indexes alone', async (_name, user) => {
      const plan = await plansOf(`/users/${user}/orders`);
      expectIndexes(plan, ['orders_user_id_id_idx', 'ticket_types_pkey', 'tickets_order_id_idx']);
    });
  });
});
