import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Call } from '../clients/history';
import { p99Of, type Stage } from '../stage';
import type { Fault } from './fault';
import { within, type Finding } from './finding';

/** At once at the API that is stopped, so that always some of them are with PostgreSQL. */
const KEYED = 64;
const OTHERS = 8;
const TRIES = 20;
const OTHERS_WITHIN_MS = 1_000;
const HOLDS_WITHIN_MS = 2_000;
const [STOPPED, OTHER] = [0, 1] as const;

const stoppedApi: Fault = {
  name: 'stopped-api',
  family: 'locks',
  about: 'an API is stopped (SIGSTOP) in the midst of requests with keys, and others want the same places',
  strike: async (stage) => {
    const api = stage.system.apis[STOPPED];
    const isStopped = { value: false };
    const interrupted = Promise.all(Array.from({ length: KEYED }, () => lastOf(stage, isStopped)));
    await sleep(500);
    await stopInTransaction(stage);
    isStopped.value = true;
    const others: Call[] = [];
    const overdue = await stage.mostOverdueWhile(async () => {
      const end = performance.now() + (stage.isFull ? 8_000 : 3_000);
      const reserve = async (_: unknown, i: number) => {
        while (performance.now() < end)
          others.push(await stage.reserve(OTHER, i % 2 === 0 ? randomUUID() : undefined));
      };
      await Promise.all(Array.from({ length: OTHERS }, reserve));
    });
    api.signal('SIGCONT');
    return [
      allAnswered(others),
      within('99 of 100 of them are answered', p99Of(others), OTHERS_WITHIN_MS),
      within('holds end', overdue, HOLDS_WITHIN_MS),
      await keptOnce(stage, await interrupted),
    ];
  },
};

export const STOP_FAULTS: readonly Fault[] = [stoppedApi];

/** Where it has transactions open over a round trip, it is stopped in one, if not at the first try. */
async function stopInTransaction(stage: Stage): Promise<void> {
  const { apis, postgres } = stage.system;
  for (let tries = 1; ; tries++) {
    apis[STOPPED].signal('SIGSTOP');
    await sleep(60);
    const [open] = await postgres.sql(OPEN_TRANSACTIONS);
    if (open || tries === TRIES) return;
    apis[STOPPED].signal('SIGCONT');
    await sleep(stage.random.between(10, 40));
  }
}

/** That nobody goes on with. */
const OPEN_TRANSACTIONS = `
  SELECT FROM pg_stat_activity
  WHERE application_name = 'tixxety api' AND state = 'idle in transaction' AND clock_timestamp() - state_change > interval '50 ms'`;

/** One request with a key after the other: the last is the one that the stop interrupts. */
async function lastOf(stage: Stage, isStopped: { value: boolean }): Promise<Call> {
  for (;;) {
    const call = await stage.reserve(STOPPED, randomUUID());
    if (isStopped.value) return call;
  }
}

function allAnswered(calls: readonly Call[]): Finding {
  const failed = calls.filter(({ outcome }) => outcome === 'unknown');
  return {
    mustHold: 'the other API answers everybody meanwhile',
    measured: `${failed.length} of ${calls.length} failed`,
    isOk: failed.length === 0 && calls.length > 0,
  };
}

/** What was reserved when the API went on, the other API has under the same key. */
async function keptOnce(stage: Stage, interrupted: readonly Call[]): Promise<Finding> {
  const reserved = interrupted.filter(({ outcome }) => outcome === 'ok');
  const repeated = await Promise.all(reserved.map((call) => stage.repeat(call, OTHER)));
  const same = repeated.filter(({ ticket }, i) => ticket === reserved[i]?.ticket);
  return {
    mustHold: 'those it was stopped in are answered, and done once',
    measured: `${reserved.length} of ${interrupted.length} reserved, ${same.length} the same elsewhere`,
    isOk: reserved.length > 0 && same.length === reserved.length,
  };
}
