import { Client } from 'pg';
import { p99Of, type Stage } from '../stage';
import type { Fault } from './fault';
import { within, type Finding } from './finding';

/** A batch that comes upon the lock waits a tenth of a second before it looks for what is stuck. */
const OTHERS_WITHIN_MS = 1_000;
const HOLDS_WITHIN_MS = 2_000;

/** Holds of events that nobody has locked. */
const OVERDUE = `
  SELECT coalesce(extract(epoch FROM now() - min(expires_at)) * 1000, 0)::float8 AS ms FROM orders
  WHERE status = 'held' AND expires_at < now() AND event_id <> $1`;

const lockedCounters: Fault = {
  name: 'locked-counters',
  family: 'locks',
  about: 'somebody locks the counters of one event for long, and customers go on wanting it',
  strike: (stage) => besideLock(stage, 'SELECT FROM quotas WHERE event_id = $1 FOR UPDATE'),
};

const lockedOrders: Fault = {
  name: 'locked-orders',
  family: 'locks',
  about: 'somebody locks all orders of one event for long, and their holders go on paying',
  strike: (stage) => besideLock(stage, 'SELECT FROM orders WHERE event_id = $1 FOR UPDATE'),
};

export const LOCK_FAULTS: readonly Fault[] = [lockedCounters, lockedOrders];

async function besideLock(stage: Stage, lock: string): Promise<Finding[]> {
  const { postgres } = stage.system;
  const event = stage.random.pick(stage.market.plentiful);
  const isOther = (call: { event: number; outcome: string }) =>
    call.event !== event && call.outcome !== 'unknown';
  const locker = new Client({ connectionString: postgres.url });
  await locker.connect();
  await locker.query('BEGIN');
  await locker.query(lock, [event]);
  let overdue = 0;
  const during = await stage.callsWhile(async () => {
    const end = performance.now() + (stage.isFull ? 6_000 : 3_000);
    while (performance.now() < end) {
      await stage.wait(100);
      const [row] = await postgres.sql<{ ms: number }>(OVERDUE, [event]);
      overdue = Math.max(overdue, row?.ms ?? 0);
    }
  });
  await locker.end();
  const others = during.filter(isOther);
  return [
    {
      mustHold: 'other events are served meanwhile',
      measured: `${others.length} calls`,
      isOk: others.length > 0,
    },
    within('99 of 100 of the others are answered', p99Of(others), OTHERS_WITHIN_MS),
    within('holds of other events end', overdue, HOLDS_WITHIN_MS),
  ];
}
