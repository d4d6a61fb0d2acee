import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../src/database/embedded/embedded-postgres';
import { createTemplate } from './databases';
import { findRedis } from './redis';
import { services } from './services';

/**
 * Real services for the whole run: the PostgreSQL of `DATABASE_URL`, else an embedded one; the Redis of `REDIS_URL`,
 * else one on this machine, else a `redis-server` that is started here.
 */
export default async function setUp(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tixxety-test-'));
  chmodSync(folder, 0o755); // as root, PostgreSQL runs as somebody else
  try {
    const redis = await findRedis(folder);
    services.onTeardown(folder, () => redis?.stop());
    if (!redis) {
      const message =
        'NO REDIS: the suites that need Bull are SKIPPED. Set REDIS_URL or install redis-server.';
      if (process.env.CI === 'true') throw new Error(message);
      console.warn(`\n${message}\n`);
    }
    const postgres = process.env.DATABASE_URL
      ? undefined
      : await startEmbeddedPostgres({ dataDir: folder, exclusive: true, say: () => undefined });
    services.onTeardown(folder, () => postgres?.stop());
    const server = process.env.DATABASE_URL ?? postgres?.url ?? '';
    const template = await createTemplate(server);
    services.onTeardown(folder, () => template.drop());
    services.announce({ server, template: template.name, redis: redis?.url });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void giveUp());
  } catch (error) {
    // Jest tears down only what was set up to the end.
    await services.tearDown();
    throw error;
  }
}

/** Jest doesn't tear down when it is interrupted, and an embedded PostgreSQL would outlive it. */
async function giveUp(): Promise<void> {
  await services.tearDown();
  process.exit(130);
}
