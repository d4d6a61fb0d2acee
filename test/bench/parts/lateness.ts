import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '../../support/redis';
import type { Bench, Site } from '../bench';
import { SeatsMismatch } from '../check';
import type { Figure } from '../figure';
import { openEvents } from '../fill/seats';
import { Cleanup } from '../../support/cleanup';
import type { Database } from '../harness/database';
import type { LoadResult } from '../load/job';
import { summarize, type Summary } from '../measure';
import type { Part } from '../part';
import { checkReservations, reservations } from '../windows';

const HOLD_SECONDS = '2';
const PER_SECOND = 300;
const POLL_MS = 100;

type Releaser = 'worker on Bull' | 'sweeper only, Redis gone' | 'API alone';

/** Seconds: at least, reach for. */
const BOUNDS: Record<Releaser, [number, number]> = {
  'worker on Bull': [0.5, 0.25],
  'sweeper only, Redis gone': [2, 1],
  'API alone': [0.5, 0.25],
};

/** How long after `expires_at` a place is for sale again, as the database itself tells it. */
export const lateness: Part = {
  name: 'lateness',
  about: 'release after expires_at: by a worker on Bull, by its sweeper with Redis gone, by the API alone',
  run: async (bench) => {
    const site = await bench.copyTemplate();
    await logReleases(site.database);
    const figures: Figure[] = [];
    const measurements: Record<string, Summary> = {};
    const notes: string[] = [`${PER_SECOND} reservations/s, each hold lasts ${HOLD_SECONDS} s.`];
    for (const releaser of Object.keys(BOUNDS) as Releaser[]) {
      const result = await withReleaser(bench, site.database, releaser, (url) =>
        reserveAndWait(bench, site, url),
      );
      if (!result) {
        notes.push(`${releaser}: not measured, because there is no redis-server on the PATH.`);
        continue;
      }
      bench.say(`  ${releaser}: p99 ${result.p99Seconds.toFixed(3)} s after expires_at`);
      const [atLeast, reachFor] = BOUNDS[releaser];
      measurements[releaser] = summarize([result.load]);
      figures.push({
        name: `release after expires_at, p99, steady load: ${releaser}`,
        value: result.p99Seconds,
        unit: 's',
        good: 'below',
        atLeast,
        reachFor,
      });
    }
    return { figures, measurements, notes };
  },
};

/** Deferred to the commit, which is when the place is there for others. */
async function logReleases(database: Database): Promise<void> {
  await database.script(
    'CREATE UNLOGGED TABLE release (late_seconds float8)',
    `CREATE FUNCTION log_release() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       INSERT INTO release VALUES (extract(epoch FROM clock_timestamp() - OLD.expires_at));
       RETURN NULL;
     END
     $$`,
    `CREATE CONSTRAINT TRIGGER log_release AFTER UPDATE ON orders DEFERRABLE INITIALLY DEFERRED
     FOR EACH ROW WHEN (OLD.status = 'held' AND NEW.status = 'expired') EXECUTE FUNCTION log_release()`,
  );
}

/** An API whose holds only `releaser` ends; undefined without the Redis it takes. */
async function withReleaser<Result>(
  bench: Bench,
  database: Database,
  releaser: Releaser,
  work: (url: string) => Promise<Result>,
): Promise<Result | undefined> {
  const processes = new Cleanup();
  bench.cleanup.add(() => processes.run());
  try {
    if (releaser === 'API alone') {
      const api = await bench.startApi(database, { HOLD_SECONDS });
      processes.add(() => api.stop());
      return await work(api.url);
    }
    const redis = await startRedis(tmpdir());
    if (!redis) return undefined;
    processes.add(() => redis.stop());
    const environment = { HOLD_SECONDS, REDIS_URL: redis.url };
    const api = await bench.startApi(database, environment);
    processes.add(() => api.stop());
    const worker = await bench.startWorker(database, environment);
    processes.add(() => worker.stop());
    if (releaser === 'sweeper only, Redis gone') await redis.stop();
    return await work(api.url);
  } finally {
    await processes.run();
  }
}

async function reserveAndWait(bench: Bench, { database, users }: Omit<Site, 'api'>, url: string) {
  await database.sql('TRUNCATE release');
  const event = await openEvents(database, 1);
  const load = await bench.load.run(
    {
      target: { url },
      connections: bench.connections,
      requests: reservations(users, event),
      perSecond: PER_SECOND,
    },
    bench.terms.seconds,
  );
  await untilAllAreReleased(database);
  await checkReleased(database, load);
  await checkReservations(database, event, { ...load, outcomes: {} });
  const [release] = await database.sql<{ p99: number }>(
    'SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY late_seconds) AS p99 FROM release',
  );
  return { load, p99Seconds: release?.p99 ?? NaN };
}

async function untilAllAreReleased(database: Database): Promise<void> {
  const isAnyHeld = async () =>
    (await database.sql(`SELECT FROM orders WHERE status = 'held' LIMIT 1`)).length > 0;
  while (await isAnyHeld()) await sleep(POLL_MS);
}

async function checkReleased(database: Database, { outcomes }: LoadResult): Promise<void> {
  const [released] = await database.sql<{ number: number }>('SELECT count(*)::int AS number FROM release');
  if (released?.number !== outcomes['201']) {
    throw new SeatsMismatch(`Seats: ${outcomes['201']} were held and ${released?.number} released.`);
  }
}
