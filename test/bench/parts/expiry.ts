import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Site } from '../bench';
import { ratio } from '../figure';
import { addHolds, openEvents } from '../fill/seats';
import type { Ids, LoadResult } from '../load/job';
import { median, summarize } from '../measure';
import type { Part } from '../part';
import { checkReservations, reservations, reserve } from '../windows';

const POLL_MS = 20;
/** The load is there before the holds fall due. */
const WARM_UP_MS = 500;
const GIVE_UP_MS = 60_000;

/** Two minutes after sales began: all that was not paid comes back at once, while people go on reserving. */
export const expiry: Part = {
  name: 'expiry',
  about: '100,000 holds of one event due in one second, while it is being reserved',
  run: async (bench) => {
    const site = await bench.few();
    const undisturbed: LoadResult[] = [];
    const meanwhile: LoadResult[] = [];
    const seconds: number[] = [];
    for (let round = 1; round <= bench.terms.rounds; round++) {
      const alone = await reserve(bench, site, { seconds: bench.terms.seconds });
      bench.tell('undisturbed', round, alone);
      undisturbed.push(alone);
      const { result, secondsToFree } = await expireAtOnce(bench, site);
      bench.tell(`meanwhile (${secondsToFree.toFixed(2)} s)`, round, result);
      meanwhile.push(result);
      seconds.push(secondsToFree);
    }
    const [before, during] = [summarize(undisturbed), summarize(meanwhile)];
    return {
      figures: [
        {
          name: '100,000 holds due in one second: seconds until all their places are for sale again',
          value: median(seconds),
          unit: 's',
          good: 'below',
          atLeast: 5,
          reachFor: 2,
        },
        {
          name: "reservations' p99 meanwhile ÷ undisturbed",
          ...ratio(during.p99, before.p99, 'ms'),
          good: 'below',
          atLeast: 3,
          reachFor: 1.5,
        },
      ],
      measurements: { undisturbed: before, meanwhile: during },
      notes: [
        'Seconds count from the first hold that falls due, so that 1 is perfect. The API alone does it all: no worker.',
      ],
    };
  },
};

async function expireAtOnce(
  bench: Bench,
  site: Site,
): Promise<{ result: LoadResult; secondsToFree: number }> {
  const { api, database, users } = site;
  const { event, count, dueInMs, dueAt } = await fillDue(bench, site);
  const load = bench.load.start({
    target: { url: api.url },
    connections: bench.connections,
    requests: reservations(users, event),
  });
  await sleep(dueInMs);
  load.mark();
  const start = performance.now();
  const lastDue = new Date(dueAt.getTime() + 1_000);
  while (await isAnyHeld(database, lastDue)) {
    if (performance.now() - start > GIVE_UP_MS) throw new Error('The holds that were due were not released');
    await sleep(POLL_MS);
  }
  const secondsToFree = (performance.now() - start) / 1_000;
  const result = await load.stop();
  await checkReservations(database, event, result);
  if (count !== bench.sized(HOLDS)) throw new Error(`${count} holds were made`);
  return { result, secondsToFree };
}

const HOLDS = 100_000;

interface Due {
  event: Ids;
  count: number;
  /** When the first of them is. */
  dueAt: Date;
  dueInMs: number;
}

/** Holds that fall due within one second from now on; how far from now depends on how long it takes to write them. */
async function fillDue(bench: Bench, { database, users }: Site, leadSeconds = 4): Promise<Due> {
  const count = bench.sized(HOLDS);
  const event = await openEvents(database, 1);
  const [clock] = await database.sql<{ at: Date }>(
    `SELECT date_trunc('milliseconds', clock_timestamp() + $1 * interval '1 second') AS at`,
    [leadSeconds],
  );
  const dueAt = clock?.at ?? new Date();
  const expiresAt = `timestamptz '${dueAt.toISOString()}' + (n - 1) * interval '1 second' / ${count}`;
  const tickets = await addHolds(database, { event, users, count, expiresAt });
  const [left] = await database.sql<{ ms: number }>(
    'SELECT extract(epoch FROM $1 - clock_timestamp())::float8 * 1000 AS ms',
    [dueAt],
  );
  const dueInMs = left?.ms ?? 0;
  if (dueInMs > WARM_UP_MS) return { event, count: tickets.count, dueAt, dueInMs };
  bench.say('  this machine is slow to write holds: once more, with more time');
  return await fillDue(bench, { database, users } as Site, leadSeconds * 2);
}

async function isAnyHeld(database: Site['database'], dueBy: Date): Promise<boolean> {
  const [answer] = await database.sql<{ held: boolean }>(
    `SELECT EXISTS (SELECT FROM orders WHERE status = 'held' AND expires_at <= $1) AS held`,
    [dueBy],
  );
  return answer?.held ?? false;
}
