import cluster from 'node:cluster';
import { parseArgs } from 'node:util';
import type { RunningServer } from './http/running-server';
import type { Settings } from './config/settings';
import { StartupError } from './config/startup-error';
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

/** Where the journey goes by itself. */
const DEFAULT_URL = 'http://127.0.0.1:8000';
/** With what `endNow` may add, ten seconds. */
const EXIT_LIMIT_MS = 8_500;
const SECOND_SIGNAL_MS = 500;

async function main(): Promise<void> {
  const { worker, migrate, help, version } = readOptions(process.argv.slice(2));
  if (help) return void process.stdout.write(HELP);
  if (version) return void process.stdout.write(`${VERSION}\n`);

  // From here on modules are loaded when they are needed: all together take a second, for which help need not wait.
  const { readSettings } = await import('./config/settings.js');
  const settings = readSettings();
  const { createLogger } = await import('./logging/logger.js');
  const logger = createLogger(settings.LOG_LEVEL);
  const { catchTheRest, endNow } = await import('./last-resort.js');
  catchTheRest(logger);
  const say = (message: string) => process.stdout.write(`${message}\n`);
  const options = { settings, migrate, say };
  const signal = firstSignal(endNow);
  const start = await starter(worker, settings);
  const running = await start(options, logger);
  if (cluster.isPrimary) say(worker ? workerGreeting(running) : apiGreeting(running));
  await signal;
  await running.stop();
  process.exit(0);
}

/** The process to be: a worker, an API, or the first of several APIs. */
async function starter(worker: boolean, { WEB_CONCURRENCY }: Settings) {
  if (worker) return (await import('./worker.js')).startWorker;
  if (WEB_CONCURRENCY > 1 && cluster.isPrimary) return (await import('./cluster.js')).startCluster;
  return (await import('./api.js')).startApi;
}

function readOptions(argv: string[]) {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        worker: { type: 'boolean', default: false },
        migrate: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', short: 'v', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new StartupError(`${(error as Error).message.split('. ')[0]}. See --help.`);
  }
}

const apiGreeting = ({ url, admin }: RunningServer) => `
Tixxety ${VERSION}
  API    ${url}
  Docs   ${url}/docs${admin ? adminGreeting(admin) : ''}
  Try    npm run journey${url === DEFAULT_URL ? '' : ` -- ${url}`}
`;

/** The only time that anybody is told. */
const adminGreeting = ({ ADMIN_EMAIL, ADMIN_PASSWORD }: NonNullable<RunningServer['admin']>) => `
  Admin  ${ADMIN_EMAIL}, password ${ADMIN_PASSWORD} (made for this database; shown only now)`;

const workerGreeting = ({ url }: RunningServer) => `
Tixxety ${VERSION} worker
  Health  ${url}/health/ready
`;

/**
 * Resolves at the first Ctrl-C or other signal that asks a process to end. A second Ctrl-C ends it without waiting for
 * what is under way, and so does time. A second SIGTERM does not: it may be the same one, sent to all of us and passed
 * on by npm; nor does the SIGHUP that a terminal sends when it closes.
 */
async function firstSignal(endNow: (code: number) => Promise<never>): Promise<void> {
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => resolve());
  });
  setTimeout(() => void endNow(1), EXIT_LIMIT_MS).unref();
  // Not at once: npm passes on the Ctrl-C that the terminal has sent already.
  process.on('SIGINT', () => undefined);
  setTimeout(() => process.once('SIGINT', () => void endNow(130)), SECOND_SIGNAL_MS).unref();
}

main().catch((error: unknown) => {
  const isExpected = error instanceof StartupError;
  process.stderr.write(`${isExpected ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exit(1);
});
