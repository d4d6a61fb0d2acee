import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OrderCodes } from '../../../src/inventory/order-codes';
import { compareBooks, failedRefunds, openMoney, type Books } from '../checks/books-check';
import { Balancer } from '../clients/balancer';
import { Buyers } from '../clients/buyers';
import { PricedSales } from '../fill/priced-event';
import type { Stage } from '../stage';
import { KILL_STEPS } from '../system/kill-steps';
import type { Member } from '../system/system';
import type { Fault } from './fault';
import { within, type Finding } from './finding';

/** Of each process. */
const KILLS = { full: 25, brief: 3 };
/** A process that does not come to its step is killed where it is. */
const STEP_WITHIN_MS = { full: 8_000, brief: 4_000 };
/** A message of the outbox whose relay was killed is taken over after a minute. */
const CLOSED_WITHIN_MS = 90_000;

const killAtSteps: Fault = {
  name: 'money-kill',
  family: 'money',
  about:
    'kill -9 of APIs and workers at every step of payments and refunds, while people pay in every way there is',
  strike: (stage) =>
    amongBuyers(stage, async () => {
      const { apis, workers } = stage.system;
      const kills = { ...noKills('api'), ...noKills('worker') };
      await Promise.all([
        killMembers(stage, apis, 'api', kills),
        killMembers(stage, workers, 'worker', kills),
      ]);
      const missed = Object.entries(kills).filter(([step, count]) => step !== ELSEWHERE && count === 0);
      const total = Object.values(kills).reduce((sum, count) => sum + count, 0);
      return [
        {
          mustHold: 'processes are killed at the steps',
          measured: `${total} kills: ${Object.entries(kills)
            .map(([step, count]) => `${count} ${step}`)
            .join(', ')}`,
          // In brief there are too few for every step, but at least half must be at their own.
          isOk: stage.isFull ? missed.length === 0 : 2 * (kills[ELSEWHERE] ?? 0) <= total,
        },
      ];
    }),
};

const failingProvider: Fault = {
  name: 'money-provider',
  family: 'money',
  about: 'the provider fails one call in ten, is slow, and for a while has no money to give back',
  strike: (stage) =>
    amongBuyers(stage, async () => {
      const { sandbox } = stage.system;
      await sandbox?.set({ fail_one_in: 10 });
      await stage.wait(15_000, 2_000);
      await sandbox?.set({ delay_ms: 500, balance_exhausted: true });
      await stage.wait(15_000, 2_000);
      return [];
    }),
};

export const MONEY_FAULTS: readonly Fault[] = [killAtSteps, failingProvider];

const ELSEWHERE = 'elsewhere';
const size = ({ isFull }: Stage, { full, brief }: { full: number; brief: number }) => (isFull ? full : brief);
const stepsOf = (role: 'api' | 'worker') =>
  Object.entries(KILL_STEPS).flatMap(([name, { roles }]) => (roles.includes(role) ? [name] : []));
const noKills = (role: 'api' | 'worker') =>
  Object.fromEntries([...stepsOf(role), ELSEWHERE].map((name) => [name, 0]));

/** Kills each process again and again, at the step that it was started for. */
async function killMembers(
  stage: Stage,
  members: readonly Member[],
  role: 'api' | 'worker',
  kills: Record<string, number>,
): Promise<void> {
  const steps = stage.random.shuffle(stepsOf(role));
  const plans = members.map((_, m) =>
    Array.from({ length: size(stage, KILLS) }, (_, i) => ({
      step: steps[(i * members.length + m) % steps.length] as string,
      nth: stage.random.between(1, 4),
      afterMs: stage.random.between(0, 12),
    })),
  );
  await Promise.all(
    members.map(async (member, m) => {
      await member.current.stop('SIGKILL');
      for (const plan of plans[m] ?? []) {
        const where = (await killAt(member, plan, size(stage, STEP_WITHIN_MS))) ? plan.step : ELSEWHERE;
        kills[where] = (kills[where] ?? 0) + 1;
      }
      await member.start();
    }),
  );
}

/** @returns whether it came to the step; else it is killed where it is */
async function killAt(
  member: Member,
  { step, nth, afterMs }: { step: string; nth: number; afterMs: number },
  withinMs: number,
): Promise<boolean> {
  await member.start({
    execArgv: ['--require', join(__dirname, '../system/kill-at-step.js')],
    environment: { KILL_AT: step, KILL_NTH: String(nth), KILL_AFTER_MS: String(afterMs) },
  });
  const patience = sleep(withinMs, false, { ref: false });
  const isKilled = await Promise.race([member.current.ended.then(() => true), patience]);
  if (!isKilled) await member.current.stop('SIGKILL');
  return isKilled;
}

/** Lets people pay while `work` is under way, waits until nothing is open any more, and compares the books. */
async function amongBuyers(stage: Stage, work: () => Promise<Finding[]>): Promise<Finding[]> {
  const { system } = stage;
  const { postgres, sandbox } = system;
  if (!sandbox) throw new Error('This needs the sandbox');
  await stage.waitForReleases();
  const balancer = new Balancer(system.apis.map(({ url }) => url));
  const buyers = new Buyers(stage.random.between(0, 1_000_000), balancer, await PricedSales.open(postgres));
  try {
    buyers.start();
    await stage.wait(2_000, 500);
    const findings = await work();
    await sandbox.set({ fail_one_in: 0, delay_ms: 0, balance_exhausted: false });
    await buyers.pause();
    await sandbox.winDisputes();
    const closed = await untilClosed(stage, buyers);
    const books = await compareBooks(postgres, buyers.paid, await codesOf(stage));
    return [...findings, within('nothing open', closed, CLOSED_WITHIN_MS), agreement(books)];
  } finally {
    balancer.close();
  }
}

async function untilClosed(stage: Stage, buyers: Buyers): Promise<number> {
  const { postgres } = stage.system;
  return await stage.until(async () => {
    // The lease of a message whose relay was killed is a matter of time alone.
    if (!stage.isFull) await postgres.sql('UPDATE outbox SET due_at = now() WHERE NOT is_dead');
    for (const id of await failedRefunds(postgres)) await buyers.retryRefund(id);
    return Object.values(await openMoney(postgres)).every((count) => count === 0);
  }, CLOSED_WITHIN_MS + 1_000);
}

export async function codesOf({ system }: Stage): Promise<OrderCodes> {
  const [row] = await system.postgres.sql<{ key: Buffer }>('SELECT order_code_key AS key FROM installation');
  const codes = new OrderCodes(undefined as never);
  codes.useKey(row?.key ?? Buffer.alloc(16));
  return codes;
}

export const agreement = ({ charges, refunds, differences }: Books): Finding => ({
  mustHold: 'the books agree with the provider: each charge is an order or given back, nothing twice',
  measured: `${charges} charges, ${refunds} refunds, ${differences.length} differences${differences
    .slice(0, 5)
    .map((difference) => `; ${difference}`)
    .join('')}`,
  isOk: differences.length === 0 && charges > 0,
});
