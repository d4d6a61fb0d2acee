import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Bull from 'bull';
import { EXPIRATION_QUEUE, RELEASE_JOB } from '../../../src/queue/job-types';
import { redisPrefixOf } from '../../support/redis-prefix';
import type { Stage } from '../stage';
import type { Fault } from './fault';
import { within, type Finding } from './finding';

/** After half a minute Bull gives a job to another worker. */
const STALL_MS = { full: 35_000, brief: 3_000 };
const DELIVER_EVERY_MS = 50;

const threeTimes: Fault = {
  name: 'job-thrice',
  family: 'jobs',
  about: 'each release job is delivered three times, and at once',
  strike: (stage) =>
    countingReleases(stage, async () => {
      const queue = new Bull(EXPIRATION_QUEUE, stage.system.redis.url, {
        prefix: await redisPrefixOf(stage.system.postgres),
      });
      const timer = setInterval(() => {
        const job = { dueAt: new Date().toISOString() };
        for (let i = 0; i < 3; i++)
          void queue.add(RELEASE_JOB, job, { removeOnComplete: true }).catch(() => undefined);
      }, DELIVER_EVERY_MS);
      await stage.wait(6_000, 2_500);
      clearInterval(timer);
      await queue.close();
    }),
};

const stalledWorker: Fault = {
  name: 'stalled-worker',
  family: 'jobs',
  about: 'a worker stands still (SIGSTOP) until Bull takes its job for stalled, then goes on',
  strike: (stage) =>
    countingReleases(stage, async () => {
      const worker = stage.random.pick(stage.system.workers);
      worker.signal('SIGSTOP');
      await stage.wait(STALL_MS.full, STALL_MS.brief);
      worker.signal('SIGCONT');
      await sleep(1_000);
    }),
};

const blockedLoop: Fault = {
  name: 'blocked-loop',
  family: 'jobs',
  about: 'the event loop of a worker is blocked until Bull takes its job for stalled, then goes on',
  strike: async (stage) => {
    const worker = stage.random.pick(stage.system.workers);
    const ms = stage.isFull ? STALL_MS.full : STALL_MS.brief;
    await worker.restart({
      execArgv: ['--require', join(__dirname, '../system/block-on-signal.js')],
      environment: { BLOCK_MS: String(ms) },
    });
    const findings = await countingReleases(stage, async () => {
      worker.signal('SIGUSR2');
      await sleep(ms + 1_000);
    });
    await worker.restart();
    return findings;
  },
};

export const JOB_FAULTS: readonly Fault[] = [threeTimes, stalledWorker, blockedLoop];

/** The process that ends a hold counts it; so the counts of all processes are the number of holds that ended. */
async function countingReleases(stage: Stage, work: () => Promise<void>): Promise<Finding[]> {
  await stage.waitForReleases();
  const before = await releases(stage);
  stage.serve();
  const overdue = await stage.mostOverdueWhile(work);
  await stage.waitForReleases();
  const after = await releases(stage);
  stage.serve();
  const [counted, expired] = [after.counted - before.counted, after.expired - before.expired];
  return [
    {
      mustHold: 'each hold is released once',
      measured: `${counted} releases of ${expired} holds`,
      isOk: counted === expired && expired > 0,
    },
    within('holds end', overdue, 2_000),
  ];
}

async function releases(stage: Stage): Promise<{ counted: number; expired: number }> {
  const { members, postgres } = stage.system;
  const [row] = await postgres.sql<{ number: number }>(
    `SELECT count(*)::int AS number FROM orders WHERE status = 'expired'`,
  );
  const counted = await stage.metric(members, 'tixxety_hold_lateness_seconds_count');
  return { counted, expired: row?.number ?? 0 };
}
