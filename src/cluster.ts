import cluster, { type Worker } from 'node:cluster';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { withJwtSecret } from './auth/jwt-secret';
import { urlOf, type RunningServer } from './http/running-server';
import { StartupError } from './config/startup-error';
import { openDatabase, type DatabaseOptions } from './database/open-database';
import { demoAdmin } from './users/admin.service';
import { gatherMetrics } from './metrics/cluster-metrics';

/** A process that keeps dying is started again at most this often. */
const RESTART_DELAY_MS = 500;

/**
 * Starts `WEB_CONCURRENCY` API processes behind one port. This process only keeps the database open (the embedded
 * one lives as long as it does) and starts again whichever of them dies.
 *
 * @returns the address they answer at, and how to stop them all
 * @throws {StartupError}
 */
export async function startCluster(options: DatabaseOptions, logger: Logger): Promise<RunningServer> {
  const { JWT_SECRET = [] } = await withJwtSecret(options.settings);
  const dataSource = await openDatabase(options, 'api');
  const admin = await demoAdmin(options.settings, dataSource);
  let isStopping = false;
  gatherMetrics();

  const { ADMIN_EMAIL, ADMIN_PASSWORD } = admin ?? {};
  const environment = { DATABASE_URL: dataSource.url, JWT_SECRET: JWT_SECRET.join() };
  const fork = () => cluster.fork({ ...environment, ...(admin && { ADMIN_EMAIL, ADMIN_PASSWORD }) });
  const alive = () =>
    Object.values(cluster.workers ?? {}).filter((worker) => worker?.isDead() === false) as Worker[];
  const stop = async () => {
    isStopping = true;
    const ended = alive().map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    for (const worker of alive()) worker.process.kill('SIGTERM');
    await Promise.all(ended);
    await dataSource.destroy();
  };

  try {
    const workers = Array.from({ length: options.settings.WEB_CONCURRENCY }, fork);
    const all = Promise.all(workers.map(listening)) as Promise<[Address, ...Address[]]>;
    const [address] = await Promise.race([all, aborted(options.stopped)]);
    cluster.on('exit', (worker, code, signal) => {
      if (isStopping) return;
      logger.warn(`API process ${worker.process.pid} ended (${signal || code}) and is started again.`);
      setTimeout(() => !isStopping && fork(), RESTART_DELAY_MS);
    });
    return { url: urlOf(address), admin, stop, unfinished: () => alive().length };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Rejects when the signal is aborted. */
const aborted = (signal?: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal?.throwIfAborted();
    signal?.addEventListener('abort', () => reject(signal.reason as Error));
  });

type Address = Pick<AddressInfo, 'address' | 'port'>;

/** Where the process listens; rejects when it ends before it does, having said why itself. */
function listening(worker: ReturnType<typeof cluster.fork>): Promise<Address> {
  return new Promise((resolve, reject) => {
    worker.once('listening', ({ address, port }) => resolve({ address, port }));
    worker.once('exit', () => reject(new StartupError('An API process ended before it was ready.')));
  });
}
