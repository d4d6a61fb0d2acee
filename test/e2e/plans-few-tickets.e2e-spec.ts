import { readSettings } from '../../src/config/settings';
import { TixxetyDataSource } from '../../src/database/tixxety-data-source';
import { RELEASE_DUE_HOLDS_OF_EVENTS } from '../../src/inventory/release-due-holds.statements';
import { RESOLVE_HOLDS, RESOLVE_KEYED_HOLDS } from '../../src/inventory/resolve-holds.statement';
import { createDatabase, type TestDatabase } from '../support/databases';
import { makeOrders, sellEvents } from '../support/fill';
import { nodesOf, type Plan } from '../support/plan';

describe('while there are few tickets', () => {
  let database: TestDatabase;
  let api: TixxetyDataSource;

  beforeAll(async () => {
    database = await createDatabase();
    await database.sql(`INSERT INTO users (name, email) VALUES ('Ada', 'ada@example.com')`);
    await database.sql(
      `INSERT INTO events (title, start_time, end_time) VALUES ('Concert', '2099-01-01', '2099-01-01')`,
    );
    await database.sql(sellEvents('SELECT id, 1000, 0, 0 FROM events'));
    await database.sql(
      makeOrders(`SELECT users.id, events.id, 'expired', now(), now(), NULL::timestamptz
        FROM users, events, generate_series(1, 700) WHERE role <> 'admin'`),
    );
    api = await new TixxetyDataSource(readSettings({ DATABASE_URL: database.url }), 'api').initialize();
  });
  afterAll(async () => {
    await api.destroy();
    await database.drop();
  });

  // A connection keeps its plan while they become many, until they are analyzed again.
  it.each([
    [
      'settling',
      RESOLVE_HOLDS,
      `'{1,NULL}', '{NULL,2}', '{paid,cancelled}', '{1,NULL}', '{1,NULL}', '{NULL,NULL}', '{NULL,NULL}', '{}', 100, '{f,t}'`,
    ],
    [
      'settling with keys',
      RESOLVE_KEYED_HOLDS,
      `'{1,NULL}', '{NULL,2}', '{paid,cancelled}', '{1,NULL}', '{1,NULL}', '{NULL,NULL}', '{NULL,NULL}', '{}', 100, '{f,t}', '{1}', '{a}',
        '{a}', '{request}'`,
    ],
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
      (node) =>
        ['orders', 'tickets'].includes(node['Relation Name'] ?? '') && node['Node Type'].endsWith('Scan'),
    );
    expect(scans.length).toBeGreaterThan(0);
    expect(scans.filter((scan) => !scan['Index Cond'] && !scan['Recheck Cond'])).toEqual([]);
  });
});
