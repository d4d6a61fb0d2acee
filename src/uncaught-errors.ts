import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { stopEmbeddedPostgres } from './database/embedded/embedded-postgres';
import { isRedisError } from './queue/redis-client';

/** By then PostgreSQL has been told to stop, and it goes on doing so by itself. */
const EMBEDDED_LIMIT_MS = 1_500;

/**
 * Ends the process without waiting for what is under way, but not before the embedded PostgreSQL has been told to
 * stop: it would outlive us.
 */
export async function endNow(code: number): Promise<never> {
  const tooLong = sleep(EMBEDDED_LIMIT_MS);
  await Promise.race([stopEmbeddedPostgres(), tooLong]).catch(() => undefined);
  process.exit(code);
}

/**
 * Handles uncaught errors. A library that talks to Redis may leave a promise of its own unhandled, and bookings do without
 * Redis: the process goes on. After any other error its state is unknown, so it ends.
 */
export function catchTheRest(logger: Logger): void {
  process.on('unhandledRejection', (error) => {
    if (isRedisError(error))
      logger.warn({ err: error }, 'Redis refuses something; holds are released all the same.');
    else void end(error);
  });
  process.on('uncaughtException', (error) => void end(error));
  // A log without a reader is no reason to stop selling.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

  let isEnding = false;
  const end = async (error: unknown) => {
    if (isEnding) return;
    isEnding = true;
    logger.fatal({ err: error }, 'A defect: nothing caught this error, so this process ends.');
    await endNow(1);
  };
}
