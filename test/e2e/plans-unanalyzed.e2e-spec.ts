import type { QueryRunner } from 'typeorm';
import { CHECK_IN } from '../../src/check-in/check-ins.statements';
import { FIND_DEVICE, REVOKE_DEVICE } from '../../src/check-in/devices.statements';
import { FIND_GATE } from '../../src/check-in/gate.statements';
import type { Statement } from '../../src/database/statements';
import { EXTEND_HOLD } from '../../src/inventory/extend-hold.statement';
import { PLACE_KEYED_HOLDS } from '../../src/inventory/place-holds.statement';
import { LOCK_CODE } from '../../src/ticket-types/codes.statements';
import { Cleanup } from '../support/cleanup';
import { eventually } from '../support/eventually';
import { makeOrders, sellEvents } from '../support/fill';
import { expectIndexes, nodesOf, type Plan } from '../support/plan';
import { NOW, STATEMENTS } from '../support/planned-statements';
import { openUnanalyzedSession, pagesReadIn } from '../support/unanalyzed-session';

// In a new installation a connection plans while its tables are all but empty, and keeps the plan until PostgreSQL
// gathers statistics, a minute later at best: in the midst of the first sale.

const MORE: [string, Statement, literals: string, indexes: string[]][] = [
  ['a device by its token', FIND_DEVICE, `'x'`, ['devices_token_hash_idx']],
  ['revoking a device', REVOKE_DEVICE, `1, 1, ${NOW}`, ['devices_pkey', 'events_pkey', 'users_pkey']],
  ['a gate', FIND_GATE, '1, 1', ['devices_event_id_id_idx', 'events_pkey']],
  ['extending a hold', EXTEND_HOLD, `1, 1, ${NOW}, true`, ['events_pkey', 'orders_pkey', 'users_pkey']],
  ['locking a code', LOCK_CODE, `1, 1, ${NOW}`, ['codes_pkey', 'events_pkey', 'users_pkey']],
];

const ADA = `INSERT INTO users (name, email) VALUES ('Ada', 'ada@example.com')`;

/** So many events and users, and of each event what it has but orders. */
const grow = (count: number) => [
  `INSERT INTO users (name, email) SELECT 'Ada', gen_random_uuid() || '@example.com' FROM generate_series(1, ${count})`,
  `INSERT INTO events (title, start_time, end_time)
  SELECT 'Concert', '2099-01-01', '2099-01-01' FROM generate_series(1, ${count})`,
  sellEvents(
    'SELECT id, 1000, 0, 0 FROM events WHERE NOT EXISTS (SELECT FROM quotas WHERE event_id = events.id) ORDER BY id',
  ),
  `INSERT INTO codes (event_id, quota_id, code, code_key, percent_off)
  SELECT event_id, id, 'Friends', 'friends', 10 FROM quotas WHERE NOT EXISTS (SELECT FROM codes WHERE quota_id = quotas.id)`,
  `INSERT INTO devices (event_id, name, token_hash, seen_at)
  SELECT id, 'Device', sha256(id::text::bytea), now() FROM events WHERE NOT EXISTS (SELECT FROM devices WHERE event_id = events.id)`,
  `INSERT INTO idempotency_keys (id, fingerprint, answer, expires_at)
  SELECT sha256(id::text::bytea), '', '', now() + interval '1 day' FROM events ON CONFLICT DO NOTHING`,
];
const MANY = 20_000;

const FEW_TICKETS = [
  ADA,
  `INSERT INTO events (title, start_time, end_time) VALUES ('Concert', '2099-01-01', '2099-01-01')`,
  sellEvents('SELECT id, 1000, 0, 0 FROM events'),
  makeOrders(`SELECT users.id, events.id, 'expired', now(), now(), NULL::timestamptz
    FROM users, events, generate_series(1, 700) WHERE role <> 'admin'`),
];

const BATCH = 16;
const fill = <Value>(value: Value) => Array.from({ length: BATCH }, () => value);
const count = (first = 1) => Array.from({ length: BATCH }, (_, i) => first + i);
const key = fill(Buffer.alloc(32, 7)).map((bytes, i) => Buffer.concat([Buffer.from([i]), bytes.subarray(1)]));

const PLACING = [
  ...[fill(2), count(), fill(NOW), fill('friends'), fill(null), fill(null), fill(null)],
  ...[count(), fill(0), fill(0), fill(null), fill(1), fill(null)],
  ...[120, 30, 600, 100, fill(null), fill(1), 500],
  ...[count(), key, key, key.map((_, i) => `request ${i}`), true],
];
const SCANNING = [
  ...[fill(1), fill(1), fill(null), count().map(String), fill(1), fill(0)],
  ...[fill('entry'), fill(null), fill(false)],
];

describe('without statistics', () => {
  const cleanup = new Cleanup();
  afterAll(() => cleanup.run());

  describe.each([
    ['before the first row', []],
    ['while there are few tickets', FEW_TICKETS],
  ])('%s', (_when, statements) => {
    let session: QueryRunner;
    beforeAll(async () => {
      session = await openUnanalyzedSession(statements, cleanup);
      await session.query('SET plan_cache_mode = force_generic_plan');
    });
    afterAll(() => session.release());

    it.each([
      ...STATEMENTS.map(
        ([name, statement, , literals, indexes]) => [name, statement, literals, indexes] as const,
      ),
      ...MORE,
    ])('%s is planned for many', async (_name, { text }, literals, indexes) => {
      await session.query(`PREPARE statement AS ${text}`);
      const rows: { 'QUERY PLAN': [{ Plan: Plan }] }[] = await session.query(
        `EXPLAIN (FORMAT JSON) EXECUTE statement (${literals})`,
      );
      await session.query('DEALLOCATE statement');
      expectIndexes(
        rows.flatMap((row) => nodesOf(row['QUERY PLAN'][0].Plan)),
        indexes,
      );
    });
  });

  describe('what functions planned beside one event', () => {
    /** How many pages the call reads in a session that called the function when there was one event. */
    async function pagesRead(
      statement: Statement,
      values: unknown[],
      before: string[] = [],
    ): Promise<number> {
      const session = await openUnanalyzedSession([...before, ...grow(1)], cleanup);
      await pagesReadIn(session, statement.text, values);
      for (const statement of grow(MANY)) await session.query(statement);
      const read = await pagesReadIn(session, statement.text, values);
      await session.release();
      return read;
    }

    const MOST = BATCH * 100;

    it.each([
      ['placing orders', PLACE_KEYED_HOLDS, PLACING],
      ['checking in', CHECK_IN, SCANNING],
    ])('%s reads as many pages when there is much', async (_name, statement, values) => {
      expect(await pagesRead(statement, values)).toBeLessThan(MOST);
    });

    it.each([
      [
        'placing orders',
        'ticket_types_event_idx ON ticket_types (event_id, position, id) WHERE archived_at IS NULL',
        PLACE_KEYED_HOLDS,
        PLACING,
      ],
      [
        'checking in',
        'devices_seen_at_idx ON devices (seen_at) WHERE revoked_at IS NULL',
        CHECK_IN,
        SCANNING,
      ],
    ])('%s would read more beside an index of a part', async (_name, definition, statement, values) => {
      const before = [`DROP INDEX ${definition.split(' ')[0]}`, `CREATE INDEX ${definition}`];
      // Where other suites change many schemas meanwhile, PostgreSQL has all sessions plan anew.
      await eventually(async () => expect(await pagesRead(statement, values, before)).toBeGreaterThan(MOST));
    });
  });
});
