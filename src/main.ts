import cluster from 'node:cluster';
import type { Logger } from 'pino';
import { readArguments } from './config/command-line';
import type { Settings } from './config/settings';
import { StartupError } from './config/startup-error';
import { apiGreeting, workerGreeting } from './greeting';
import type { RunningServer } from './http/running-server';
import { stopSignal } from './shutdown-signal';
import { VERSION } from './version';

const HELP = `Usage: node dist/src/main.js [options]

Starts the Tixxety API, or a worker that makes holds end on time.

Options:
  --worker       start a worker instead of the API (needs REDIS_URL)
  --migrate      apply pending migrations to the database first
  -h, --help     show this help
  -v, --version  show the version

Settings come from the environment and from .env; README.md lists them.
`;

const OPTIONS = {
  worker: { type: 'boolean', default: false },
  migrate: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', short: 'v', default: false },
} as const;

async function main(): Promise<void> {
  const { worker, migrate, help, version } = readArguments(OPTIONS).values;
  if (help) return void process.stdout.write(HELP);
  if (version) return void process.stdout.write(`${VERSION}\n`);

  // From here on modules are loaded when they are needed: all together take a second, for which help need not wait.
  const { readSettings } = await import('./config/settings.js');
  const settings = readSettings();
  const { createLogger } = await import('./logging/logger.js');
  const logger = createLogger(settings.LOG_LEVEL, worker ? 'worker' : 'api');
  const { catchTheRest, endNow } = await import('./uncaught-errors.js');
  const { stopEmbeddedPostgres } = await import('./database/embedded/embedded-postgres.js');
  catchTheRest(logger);
  const started: { server?: RunningServer } = {};
  const stopping = new AbortController();
  const signal = stopSignal(logger, () => started.server?.unfinished(), endNow);
  void signal.then(() => stopping.abort());
  const start = await starter(worker, settings);
  const options = { settings, migrate, say: teller(logger), stopped: stopping.signal };
  const running = (started.server = await start(options, logger).catch(async (error: unknown) => {
    await stopEmbeddedPostgres(); // it would outlive us
    if (stopping.signal.aborted) (await signal)();
    throw error;
  }));
  if (!stopping.signal.aborted) announce(running, worker, logger);
  const end = await signal;
  await running.stop();
  end();
}

function announce(running: RunningServer, worker: boolean, logger: Logger): void {
  if (isTerminal && cluster.isPrimary) print(worker ? workerGreeting(running) : apiGreeting(running));
  else
    logger.info(
      { version: VERSION, url: running.url, admin_file: running.admin?.file },
      listeningLine(worker),
    );
}

/** Where a person watches; elsewhere a program reads the log, and only its lines may be there. */
const isTerminal = process.stdout.isTTY;

const print = (message: string) => void process.stdout.write(`${message}\n`);

const teller = (logger: Logger) => (isTerminal ? print : (message: string) => logger.info(message));

function listeningLine(worker: boolean): string {
  if (worker) return 'The worker is running';
  return cluster.isPrimary ? 'The API is listening' : 'An API process is listening';
}

/** The process to be: a worker, an API, or the first of several APIs. */
async function starter(worker: boolean, { WEB_CONCURRENCY }: Settings) {
  if (worker) return (await import('./worker.js')).startWorker;
  if (WEB_CONCURRENCY > 1 && cluster.isPrimary) return (await import('./cluster.js')).startCluster;
  return (await import('./api.js')).startApi;
}

main().catch((error: unknown) => {
  const isExpected = error instanceof StartupError;
  process.stderr.write(`${isExpected ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exit(1);
});
