import type { Stage } from '../stage';
import type { Fault } from './fault';
import { within, type Finding } from './finding';

/** Outage of a process of ours, of Redis, of PostgreSQL. */
const DOWN_MS = { full: 3_000, brief: 500 };
const BACK_WITHIN_MS = 5_000;

const killApi: Fault = {
  name: 'kill-api',
  family: 'kill',
  about: 'kill -9 of an API in the midst of requests; started again',
  strike: async (stage) => {
    const i = stage.random.between(0, 1);
    const api = stage.system.apis[i as 0 | 1];
    await api.current.stop('SIGKILL');
    await stage.wait(DOWN_MS.full, DOWN_MS.brief);
    const other = await stage.reserve(1 - i);
    await api.start();
    const back = await stage.untilAllReserve();
    return [
      { mustHold: 'the other API goes on', measured: other.outcome, isOk: other.outcome === 'ok' },
      within('reservations again', back, BACK_WITHIN_MS),
    ];
  },
};

const killWorker: Fault = {
  name: 'kill-worker',
  family: 'kill',
  about: 'kill -9 of a worker; started again',
  strike: async (stage) => {
    const worker = stage.random.pick(stage.system.workers);
    const overdue = await stage.mostOverdueWhile(async () => {
      await worker.current.stop('SIGKILL');
      await stage.wait(DOWN_MS.full, DOWN_MS.brief * 3);
      await worker.start();
      await stage.wait(2_000, 500);
    });
    return [within('holds end', overdue, 2_000)];
  },
};

const killBackend: Fault = {
  name: 'kill-backend',
  family: 'kill',
  about:
    'kill -9 of the PostgreSQL process behind one connection, upon which PostgreSQL ends all of them and recovers',
  strike: async (stage) => {
    const { postgres } = stage.system;
    const backends = await postgres.sql<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'tixxety api' ORDER BY pid`,
    );
    await postgres.killBackend(stage.random.pick(backends).pid);
    return await recovery(stage);
  },
};

const killPostgres: Fault = {
  name: 'kill-postgres',
  family: 'kill',
  about: 'kill -9 of PostgreSQL, the server and all its processes; started again',
  strike: async (stage) => {
    await stage.system.postgres.kill();
    await stage.wait(DOWN_MS.full, DOWN_MS.brief);
    void stage.system.postgres.start();
    return await recovery(stage);
  },
};

const restartPostgres: Fault = {
  name: 'restart-postgres',
  family: 'kill',
  about: 'an administrator stops PostgreSQL (fast shutdown) and starts it again',
  strike: async (stage) => {
    await stage.system.postgres.stop();
    await stage.wait(DOWN_MS.full, DOWN_MS.brief);
    void stage.system.postgres.start();
    return await recovery(stage);
  },
};

async function recovery(stage: Stage): Promise<Finding[]> {
  await stage.system.postgres.untilReady();
  const back = await stage.untilAllReserve();
  const released = await stage.until(async () => (await stage.overdue()) < 500);
  return [
    within('reservations again', back, BACK_WITHIN_MS),
    within('overdue holds released', released, BACK_WITHIN_MS),
  ];
}

const killRedis: Fault = {
  name: 'kill-redis',
  family: 'kill',
  about: 'kill -9 of Redis, which forgets everything; started again',
  strike: async (stage) => {
    const { redis } = stage.system;
    await redis.kill();
    await stage.wait(DOWN_MS.full, DOWN_MS.brief);
    await redis.start();
    return [await stage.bullTakesOver()];
  },
};

export const KILLS: readonly Fault[] = [
  killApi,
  killWorker,
  killBackend,
  killPostgres,
  restartPostgres,
  killRedis,
];
