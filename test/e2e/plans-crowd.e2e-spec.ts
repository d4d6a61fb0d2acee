import type { PoolClient } from 'pg';
import type { QueryRunner } from 'typeorm';
import { CHECK_IN } from '../../src/check-in/check-ins.statements';
import { renewPlans } from '../../src/database/fresh-plans';
import type { Statement } from '../../src/database/statements';
import { PLACE_HOLDS } from '../../src/inventory/place-holds.statement';
import {
  RELEASE_DUE_HOLDS_OF_EVENTS,
  RELEASE_UNLOCKED_HOLDS_OF_EVENTS,
} from '../../src/inventory/release-due-holds.statements';
import { Cleanup } from '../support/cleanup';
import { makeOrders, sellEvents } from '../support/fill';
import { NOW } from '../support/planned-statements';
import { openUnanalyzedSession, pagesReadIn } from '../support/unanalyzed-session';

const EVENTS = 300;
const [HOT, SOLD_OUT, QUIET] = [1, 2, 3];
const CROWD = 20_000;
const BATCH = 16;
/** A look at what is sold out, or at a batch, reads some pages of each index; the crowd's orders fill hundreds. */
const MOST = BATCH * 100;

/** There is one order and one check-in, and statistics say so. */
const BEFORE = [
  `INSERT INTO users (name, email) SELECT 'Ada', n || '@example.com' FROM generate_series(1, ${CROWD}) AS n`,
  `INSERT INTO events (title, start_time, end_time, max_tickets_per_user)
  SELECT 'Concert', '2099-01-01', '2099-01-01', 100 FROM generate_series(1, ${EVENTS})`,
  sellEvents('SELECT id, 100000, 0, 0 FROM events ORDER BY id'),
  makeOrders(
    `SELECT id, id, 'held', now(), now() + interval '1 hour', NULL::timestamptz FROM events WHERE id = ${QUIET}`,
  ),
  `UPDATE orders SET network = id`,
  `INSERT INTO check_ins (event_id, user_id, nonce, kind, result, scanned_at, received_at)
  SELECT id, id, 'first', 'entry', 'not_valid', now(), now() FROM events WHERE id = ${QUIET}`,
  'ANALYZE',
];

/** A crowd comes to two other events; the gate of one is busy. */
const RUSH = [
  makeOrders(`SELECT 1 + n % ${CROWD}, CASE WHEN n % 2 = 0 THEN ${HOT} ELSE ${SOLD_OUT} END,
      CASE WHEN n % 4 < 2 THEN 'paid' ELSE 'held' END, now(), now() + interval '1 hour', CASE WHEN n % 4 < 2 THEN now() END
    FROM generate_series(1, ${CROWD}) AS n`),
  `UPDATE orders SET network = id WHERE status = 'held'`,
  `UPDATE quotas SET held = ${CROWD / 4} WHERE event_id IN (${HOT}, ${SOLD_OUT})`,
  `UPDATE quotas SET capacity = held + sold WHERE event_id = ${SOLD_OUT}`,
  `INSERT INTO check_ins (event_id, user_id, nonce, kind, result, scanned_at, received_at)
  SELECT ${HOT}, 1 + n % 10, n, 'entry', 'not_valid', now(), now() FROM generate_series(1, ${CROWD}) AS n`,
];

const fill = <Value>(value: Value) => Array.from({ length: BATCH }, () => value);
const count = () => Array.from({ length: BATCH }, (_, i) => 1 + i);

const placing = (event: number): unknown[] => [
  ...[count(), fill(event), fill(NOW), fill(null), fill(null), fill(null), fill(null)],
  ...[count(), fill(0), fill(0), fill(null), fill(1), fill(null)],
  ...[120, 30, 600, 100, fill(null), count(), 500],
];
const scanning = [
  ...[fill(HOT), fill(null), fill(1), count().map(String), fill(1), fill(0)],
  ...[fill('entry'), fill(null), fill(false)],
];

const STATEMENTS: [string, Statement, unknown[]][] = [
  ['placing orders', PLACE_HOLDS, placing(HOT)],
  ['placing orders of what is sold out', PLACE_HOLDS, placing(SOLD_OUT)],
  ['checking in by an account', CHECK_IN, scanning],
  ['releasing what is due', RELEASE_UNLOCKED_HOLDS_OF_EVENTS, [[HOT], 100, ['-infinity'], [], 100]],
  ['releasing what is due and locked', RELEASE_DUE_HOLDS_OF_EVENTS, [[HOT], 100, ['-infinity'], [], 100]],
];

describe('while statistics know of one order', () => {
  const cleanup = new Cleanup();
  let session: QueryRunner;

  beforeAll(async () => {
    session = await openUnanalyzedSession(BEFORE, cleanup);
    await session.query('SET plan_cache_mode = force_generic_plan');
    for (const statement of RUSH) await session.dataSource.query(statement);
  });
  afterAll(async () => {
    await session.release();
    await cleanup.run();
  });

  it.each(STATEMENTS)('a rush reads no more than it has to: %s', async (_name, { text }, values) => {
    expect(await pagesReadIn(session, text, values)).toBeLessThan(MOST);
  });
});

describe('a session', () => {
  const cleanup = new Cleanup();
  let session: QueryRunner;
  let client: PoolClient;

  beforeAll(async () => {
    session = await openUnanalyzedSession([], cleanup);
    client = (await session.connect()) as PoolClient;
  });
  afterAll(async () => {
    await session.release();
    await cleanup.run();
  });

  const plan = async () => {
    const { rows } = await client.query<{ 'QUERY PLAN': string }>('EXPLAIN EXECUTE statement (1)');
    return rows[0]?.['QUERY PLAN'];
  };

  it('plans anew as its tables grow, long before PostgreSQL knows that they did', async () => {
    await renewPlans(client);
    for (const statement of [
      'CREATE TEMP TABLE grown (n bigint PRIMARY KEY)',
      'ANALYZE grown',
      'SET enable_seqscan = on; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan',
      'PREPARE statement AS SELECT FROM grown WHERE n > 0 AND n < $1',
      'INSERT INTO grown VALUES (1)',
      'ANALYZE grown',
    ]) {
      await client.query(statement);
    }
    expect(await plan()).toMatch(/^Seq Scan/);
    await client.query('INSERT INTO grown SELECT generate_series(2, 100000)');
    expect(await plan()).toMatch(/^Seq Scan/);
    for (let statements = 0; statements < 8; statements++) await renewPlans(client);
    expect(await plan()).toMatch(/^Index Only Scan/);
  });
});
