import { Client } from 'pg';
import { addHolds, openEvents } from '../../bench/fill/seats';
import { p99Of, type Stage } from '../stage';
import type { Fault } from './fault';
import { within } from './finding';

const CROWD = { full: 60_000, brief: 20_000 };
/** All of them fall due within this time. */
const SPREAD_MS = 2_000;
const HOLDS_WITHIN_MS = 5_000;
const OTHERS_WITHIN_MS = 1_000;
/** A look goes back a little behind the last one. */
const MARGIN_MS = 2_500;
/** Once a minute each process looks at everything. */
const SHARE_OF_ALL = 1 / 5;

const openSnapshot: Fault = {
  name: 'open-snapshot',
  family: 'locks',
  about: 'somebody keeps a snapshot open (a dump, a forgotten BEGIN) while a crowd of holds falls due',
  strike: async (stage) => {
    const keeper = new Client({ connectionString: stage.system.postgres.url });
    await keeper.connect();
    try {
      await keeper.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await keeper.query('SELECT');
      return await besideSnapshot(stage, stage.isFull ? CROWD.full : CROWD.brief);
    } finally {
      await keeper.end();
    }
  },
};

export const SNAPSHOT_FAULTS: readonly Fault[] = [openSnapshot];

async function besideSnapshot(stage: Stage, count: number) {
  const { postgres } = stage.system;
  const users = { first: stage.market.users[0] ?? 0, count: stage.market.users.length };
  const event = await openEvents(postgres, 1, count);
  await addHolds(postgres, {
    event,
    users,
    count,
    expiresAt: `now() + (1000 + n % ${SPREAD_MS}) * interval '1 ms'`,
  });
  const overdue = await stage.mostOverdueWhile(() =>
    stage.until(async () => (await heldOf(stage, event.first)) === 0),
  );
  await stage.wait(MARGIN_MS);
  const before = await looks(stage);
  const calls = await stage.callsWhile(() => stage.wait(5_000, 3_000));
  const after = await looks(stage);
  const entries = (after.entries - before.entries) / Math.max(1, after.scans - before.scans);
  // They were promised to no buyer.
  await postgres.sql('DELETE FROM tickets WHERE order_id IN (SELECT id FROM orders WHERE event_id = $1)', [
    event.first,
  ]);
  await postgres.sql('DELETE FROM orders WHERE event_id = $1', [event.first]);
  return [
    within('holds end', overdue, HOLDS_WITHIN_MS),
    {
      mustHold: 'looks for due holds walk little of what has ended',
      measured: `${entries.toFixed(0)} entries each, ${count} holds ended`,
      isOk: after.scans > before.scans && entries < count * SHARE_OF_ALL,
    },
    within('99 of 100 calls are answered', p99Of(calls), OTHERS_WITHIN_MS),
  ];
}

async function heldOf(stage: Stage, event: number): Promise<number> {
  const [row] = await stage.system.postgres.sql<{ held: number }>(
    'SELECT held FROM quotas WHERE event_id = $1',
    [event],
  );
  return row?.held ?? 0;
}

/** How often the index of live holds was walked until now, and past how many entries. */
async function looks(stage: Stage): Promise<{ scans: number; entries: number }> {
  const [row] = await stage.system.postgres.sql<{ scans: number; entries: number }>(
    `SELECT idx_scan::float8 AS scans, idx_tup_read::float8 AS entries
     FROM pg_stat_user_indexes WHERE indexrelname = 'orders_due_idx'`,
  );
  return row ?? { scans: 0, entries: 0 };
}
