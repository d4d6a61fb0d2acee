import type { Client } from 'pg';
import { DataSource } from 'typeorm';
import { Statements } from '../../src/database/statements';
import { cursorAfter, ofList, PageQuery } from '../../src/http/page';
import {
  RELEASE_DUE_HOLDS,
  RELEASE_DUE_HOLDS_OF_EVENTS,
} from '../../src/inventory/release-due-holds.statements';
import { RESOLVE_HOLDS, RESOLVE_KEYED_HOLDS } from '../../src/inventory/resolve-holds.statement';
import { startTestApi, type TestApi } from '../support/api';
import type { TestDatabase } from '../support/databases';
import { makeOrders } from '../support/fill';
import { COLLECTOR, createLargeDatabase, USERS } from '../support/large-database';
import {
  expectIndexes,
  expectNoComparing,
  explainBy,
  pagesReadBy,
  readsOf,
  rowsOf,
  withoutIndex,
} from '../support/plan';
import { PLACE_HOLDS, PLACE_KEYED_HOLDS } from '../../src/inventory/place-holds.statement';
import { placeOrdersFunction } from '../../src/inventory/place-orders/place-orders.function';
import { NOW, STATEMENTS } from '../support/planned-statements';

const keysOf = (length: number) => Array.from({ length }, (_, i) => Buffer.alloc(32, i));
const keys = keysOf(128);
const KEYED = [keys.map((_, i) => i + 1), keys, keys, keys.map((_, i) => `request ${i}`)];

const TO_PLACE = [
  'codes_event_id_code_key_idx',
  'codes_pkey',
  'events_pkey',
  'orders_bought_idx',
  'orders_network_idx',
  'orders_unpaid_idx',
  'quotas_event_idx',
  'quotas_pkey',
  'ticket_types_event_idx',
  'ticket_types_pkey',
  'tickets_order_id_idx',
  'users_pkey',
];

/** A batch of orders of one ticket each, of many users and ten events. */
const batch = (code: string | null = null): unknown[] => {
  const ns = Array.from({ length: 128 }, (_, i) => i + 1);
  const [none, zeros] = [ns.map(() => null), ns.map(() => 0)];
  return [
    ...[ns, ns.map((n) => (n % 10) + 2_001), ns.map(() => NOW), ns.map(() => code), none, none, none],
    ...[ns, zeros, zeros, none, ns.map(() => 1), none],
    ...[120, 30, 600, 100, none, ns, 500],
  ];
};

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

  const { explain, explainGeneric, explainWithout, analyze, undone } = explainBy(() => client);

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
        const plan = await explainWithout(index, text, values);
        expect(() => expectIndexes(plan, indexes)).toThrow();
      });
    }
  });

  // The plan of a statement does not show what its functions read.
  describe('claiming keys', () => {
    const pagesReadFor = async () => {
      const keys = keysOf(128);
      const [claim] = await explain(
        'SELECT * FROM claim_keys($1::int[], $2::bytea[], $3::bytea[])',
        [keys.map((_, i) => i + 1), keys, keys],
        ', ANALYZE, BUFFERS',
      );
      return pagesReadBy(claim);
    };

    it('reads by an index alone', async () => {
      expect(await undone(pagesReadFor)).toBeLessThan(128 * 10);
    });

    it('would not without idempotency_keys_pkey', async () => {
      const pages = await undone(async () => {
        await client.query('ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey');
        return await pagesReadFor();
      });
      expect(pages).toBeGreaterThan(128 * 100);
    });
  });

  describe('placing orders', () => {
    beforeAll(async () => {
      await client.query('UPDATE quotas SET capacity = 1000000 WHERE event_id BETWEEN 2001 AND 2010');
      await client.query('UPDATE events SET max_tickets_per_user = 1000000 WHERE id BETWEEN 2001 AND 2010');
    });

    const reads = (code: string | null = null) => readsOf(client, PLACE_HOLDS.text, batch(code));

    it.each([
      ['without keys', PLACE_HOLDS, []],
      ['with keys', PLACE_KEYED_HOLDS, [...KEYED, true]],
    ])('%s reads a few rows for each', async (_what, { text }, more) => {
      const { answers, rows, tables } = await readsOf(client, text, [...batch(), ...more]);
      expect(answers).toBe(128);
      expect(tables).toEqual([]);
      expect(rows).toBeLessThan(128 * 50);
    });

    it('reads by indexes alone', async () => {
      expect(await reads('friends')).toMatchObject({ tables: [], indexes: TO_PLACE });
    });

    // The indexes of primary keys can't be dropped alone.
    it.each(TO_PLACE.filter((index) => index.endsWith('_idx')))(
      'would be missed without %s',
      async (index) => {
        const { tables, indexes } = await withoutIndex(client, index, () => reads('friends'));
        expect({ tables, indexes }).not.toEqual({ tables: [], indexes: TO_PLACE });
      },
    );

    it('looks for due holds of what is sold out by an index, too', async () => {
      await client.query('UPDATE quotas SET capacity = held + sold WHERE event_id BETWEEN 2001 AND 2010');
      const { tables, indexes } = await reads();
      await client.query('UPDATE quotas SET capacity = 1000000 WHERE event_id BETWEEN 2001 AND 2010');
      expect(tables).toEqual([]);
      expect(indexes).toContain('orders_event_due_idx');
    });

    it('is what the migrations made', async () => {
      const read = 'SELECT prosrc FROM pg_proc WHERE proname = $1';
      const before = await client.query(read, ['place_orders']);
      await client.query(placeOrdersFunction());
      expect((await client.query(read, ['place_orders'])).rows).toEqual(before.rows);
    });
  });

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
      const [list, run] = [repositories.list.bind(repositories), repositories.run.bind(repositories)];
      jest.spyOn(repositories, 'run').mockImplementation((statement, values) => {
        // The sweeper runs statements, too.
        if (statement.text.includes('ticket_states')) queries.push([statement.text, values]);
        return run(statement, values);
      });
      jest.spyOn(repositories, 'list').mockImplementation((statement, values) => {
        queries.push([statement.text, values]);
        return list(statement, values);
      });
    });
    afterAll(() => api.stop());

    it.each([
      ['/users/15000', ['users_pkey']],
      ['/tickets/150000', ['orders_pkey', 'tickets_pkey']],
      [`/users/${COLLECTOR}/tickets`, ['orders_user_id_id_idx', 'tickets_order_id_idx']],
      [
        `/users/${COLLECTOR}/tickets?cursor=${cursorAfter([100_000, 100_000], ofList(new PageQuery(), 'tickets', COLLECTOR))}`,
        ['orders_user_id_id_idx', 'tickets_order_id_idx'],
      ],
    ])('for %s reads by %s alone', async (path, indexes) => {
      queries.length = 0;
      expect((await api.client.get(path)).status).toBe(200);
      expect(queries).toHaveLength(1);
      const plan = await explain(...(queries[0] as [string, unknown[]]));
      expectIndexes(plan, indexes);
      expect(plan.map((node) => node['Node Type'])).not.toContain('Sort');
    });
  });

  describe('in a rush that the statistics do not know of', () => {
    const HOLDS = 20_000;

    beforeAll(async () => {
      await client.query(`ALTER TABLE orders SET (autovacuum_enabled = false)`);
      await client.query(`DELETE FROM orders WHERE status = 'held'`);
      await client.query('VACUUM ANALYZE orders');
      await client.query(
        makeOrders(`SELECT 1 + n % ${USERS}, 1 + n % 1000, 'held', now(), now() + (n % 2 - 0.5) * interval '1 hour',
            NULL::timestamptz
          FROM generate_series(1, ${HOLDS}) AS n`),
      );
      await client.query('UPDATE quotas SET held = 20 WHERE event_id <= 1000');
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

    it.each([
      ['paying', RESOLVE_HOLDS, []],
      ['paying with keys', RESOLVE_KEYED_HOLDS, KEYED],
    ])('so does %s', async (_what, { text }, more) => {
      const { rows } = await client.query<{ ids: number[] }>(
        `SELECT array_agg(id) AS ids FROM (
          SELECT id FROM orders WHERE status = 'held' AND expires_at > now() ORDER BY id LIMIT 128
        ) AS live`,
      );
      const plan = await analyze(text, [
        rows[0]?.ids,
        Array(128).fill(null),
        Array(128).fill('paid'),
        Array(128).fill(null),
        Array(128).fill(NOW),
        Array(128).fill(null),
        Array(128).fill(null),
        [],
        100,
        Array(128).fill(false),
        ...more,
      ]);
      expect(plan[0]?.['Actual Rows']).toBe(128);
      expectNoComparing(plan);
    });
  });
});
