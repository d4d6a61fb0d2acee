import { randomUUID } from 'node:crypto';
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
import { CLAIM_WALK } from '../../src/payments/reconciliation.statements';
import { Cleanup } from '../support/cleanup';
import { eventually } from '../support/eventually';
import { makeOrders, sellEvents } from '../support/fill';
import { NOW } from '../support/planned-statements';
import { openUnanalyzedSession, pagesReadIn } from '../support/unanalyzed-session';

const EVENTS = 300;
const [HOT, SOLD_OUT, QUIET, DUE] = [1, 2, 3, 4];
const CROWD = 20_000;
const BATCH = 16;
/** Pages that one request may read: some of each index. The crowd's orders fill hundreds. */
const MOST = 100;

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
  `INSERT INTO reconciliations (provider, walked_until, walked_at, begun_at) VALUES ('stripe', now(), now(), now())`,
  'ANALYZE',
];

/** A crowd comes to two other events; the gate of one is busy; holds of a third are due. */
const RUSH = [
  makeOrders(`SELECT 1 + n % ${CROWD}, CASE WHEN n % 2 = 0 THEN ${HOT} ELSE ${SOLD_OUT} END,
      CASE WHEN n % 4 < 2 THEN 'paid' ELSE 'held' END, now(), now() + interval '1 hour', CASE WHEN n % 4 < 2 THEN now() END
    FROM generate_series(1, ${CROWD}) AS n`),
  makeOrders(
    `SELECT n, ${DUE}, 'held', now(), now() - interval '1 second', NULL::timestamptz FROM generate_series(1, 10) AS n`,
  ),
  `UPDATE orders SET network = id WHERE status = 'held'`,
  `UPDATE quotas SET held = ${CROWD / 4} WHERE event_id IN (${HOT}, ${SOLD_OUT})`,
  `UPDATE quotas SET held = 10 WHERE event_id = ${DUE}`,
  `UPDATE quotas SET capacity = held + sold WHERE event_id = ${SOLD_OUT}`,
  `INSERT INTO payments (order_id, event_id, provider, status, amount, taken, currency, created_at, closed_at)
  SELECT id, event_id, 'stripe', 'succeeded', 1, 1, 'EUR', now(), now() FROM orders`,
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
const releasing = [[HOT, DUE], 100, ['-infinity', '-infinity'], [], 100];

/** Statements, what stands behind their parameters, and for how many requests. */
const STATEMENTS: [string, Statement, values: unknown[], requests: number][] = [
  ['placing orders', PLACE_HOLDS, placing(HOT), BATCH],
  ['placing orders of what is sold out', PLACE_HOLDS, placing(SOLD_OUT), BATCH],
  ['counting the places of a user', { text: 'SELECT places_of_user($1, $2)' }, [1, HOT], 1],
  ['checking in by an account', CHECK_IN, scanning, BATCH],
  ['releasing holds of some events', RELEASE_UNLOCKED_HOLDS_OF_EVENTS, releasing, 10],
  ['releasing them, and waiting for locks', RELEASE_DUE_HOLDS_OF_EVENTS, releasing, 10],
  ['going on with reconciliation', CLAIM_WALK, ['stripe'], 1],
];

describe('a session that planned when there was one order', () => {
  const cleanup = new Cleanup();
  let session: QueryRunner;

  beforeAll(async () => {
    session = await openUnanalyzedSession(BEFORE, cleanup);
    await session.query('SET plan_cache_mode = force_generic_plan');
    const client = (await session.connect()) as PoolClient;
    await renewPlans(client);
    for (const [, { text }, values] of STATEMENTS) await pagesReadIn(session, text, values);
    for (const statement of RUSH) await session.dataSource.query(statement);
    for (let statements = 0; statements < BATCH; statements++) await renewPlans(client);
  });
  afterAll(async () => {
    await session.release();
    await cleanup.run();
  });

  // Statistics still know of one order.
  it.each(STATEMENTS)('soon reads no more than it has to: %s', async (_name, { text }, values, requests) => {
    expect(await pagesReadIn(session, text, values)).toBeLessThan(requests * MOST);
  });

  it('would go on as it planned, but for planning anew', async () => {
    const client = (await session.connect()) as PoolClient;
    const plan = async (name: string) =>
      (await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN EXECUTE "${name}" (1)`)).rows[0]?.['QUERY PLAN'];
    await client.query('SET enable_seqscan = on; SET enable_bitmapscan = off');
    // Where other suites change many schemas meanwhile, PostgreSQL has all sessions plan anew.
    await eventually(async () => {
      const name = randomUUID();
      await client.query(`CREATE TEMP TABLE "${name}" (n bigint PRIMARY KEY)`);
      await client.query(`INSERT INTO "${name}" VALUES (1); ANALYZE "${name}"`);
      await client.query(`PREPARE "${name}" AS SELECT FROM "${name}" WHERE n > 0 AND n < $1`);
      const few = await plan(name);
      await client.query(`INSERT INTO "${name}" SELECT generate_series(2, 100000)`);
      const kept = await plan(name);
      for (let statements = 0; statements < 2 * BATCH; statements++) await renewPlans(client);
      const renewed = await plan(name);
      expect([few, kept, renewed]).toEqual([
        expect.stringMatching(/^Seq Scan/),
        expect.stringMatching(/^Seq Scan/),
        expect.stringMatching(/^Index Only Scan/),
      ]);
    });
  });
});
