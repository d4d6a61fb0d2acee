import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Redis from 'ioredis';
import { createBareDatabase, createDatabase, type TestDatabase } from '../support/databases';
import { doctorOf } from '../support/doctor';
import { hasPgBouncer, startPgBouncer } from '../support/pgbouncer';
import { startRedis, type RunningRedis } from '../support/redis';
import { redisPrefixOf } from '../support/redis-prefix';
import { services } from '../support/services';
import { describeWithRedis } from '../support/with-redis';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

const { findings } = doctorOf(() => database);

describe('of PostgreSQL', () => {
  it('finds migrations that are pending, and those that only a newer build knows', async () => {
    const [last] = await database.sql<{ id: string; name: string }>(
      'SELECT id, name FROM migrations ORDER BY id DESC LIMIT 1',
    );
    const rename = (name?: string) =>
      database.sql('UPDATE migrations SET name = $1 WHERE id = $2', [name, last?.id]);
    await rename('AddRefunds1');
    expect(await findings()).toMatchObject({
      code: 1,
      migrations: {
        status: 'wrong',
        message: `1 migration pending: ${last?.name}`,
        advice: 'npx tixxety migrate',
      },
      seats: { status: 'ok' },
      outbox: { status: 'ok' },
    });
    await rename(last?.name);
    await database.sql(`INSERT INTO migrations (timestamp, name) VALUES (1, 'AddRefunds1')`);
    expect(await findings()).toMatchObject({
      code: 0,
      migrations: { status: 'warning', message: expect.stringMatching(/does not know AddRefunds1: a newer/) },
    });
    await database.sql(`DELETE FROM migrations WHERE name = 'AddRefunds1'`);
  });

  it('finds an empty database, and leaves it empty', async () => {
    const bare = await createBareDatabase();
    const { code, extensions, migrations, ...rest } = await findings({ DATABASE_URL: bare.url });
    expect({ code, extensions, migrations }).toMatchObject({
      code: 1,
      extensions: { status: 'wrong' },
      migrations: { status: 'wrong' },
    });
    expect(Object.keys(rest)).not.toContain('seats');
    expect(await bare.sql(`SELECT FROM pg_tables WHERE schemaname = 'public'`)).toEqual([]);
    await bare.drop();
  });

  it('finds a server that may lose, mix up or refuse what is written to it', async () => {
    const settings = {
      synchronous_commit: 'off',
      transaction_timeout: `'2s'`,
      default_transaction_read_only: 'on',
    };
    for (const [name, value] of Object.entries(settings)) {
      await database.sql(`ALTER DATABASE ${database.name} SET ${name} = ${value}`);
    }
    const found = await findings({ WEB_CONCURRENCY: '256' });
    await database.sql(`BEGIN READ WRITE; ALTER DATABASE ${database.name} RESET ALL; COMMIT`);
    expect(found).toMatchObject({
      code: 1,
      postgresql: { status: 'wrong', message: expect.stringMatching(/takes no writes$/) },
      sessions: { status: 'wrong', message: expect.stringMatching(/^transaction_timeout is 2000 ms: /) },
      durability: { status: 'wrong', message: expect.stringMatching(/^synchronous_commit off: /) },
      connections: { status: 'wrong', message: expect.stringMatching(/ may take 3328, 13 an API process$/) },
    });
  });

  (hasPgBouncer ? it : it.skip)('finds a pooler that leaves statements without limits', async () => {
    const pgbouncer = await startPgBouncer(services.addresses.server);
    const DATABASE_URL = pgbouncer.through(database.url);
    const [unsaid, said] = await Promise.all([
      findings({ DATABASE_URL }),
      findings({ DATABASE_URL, DATABASE_POOLER: 'transaction' }),
    ]);
    expect(unsaid).toMatchObject({
      code: 2,
      postgresql: { message: expect.stringMatching(/DATABASE_POOLER/) },
    });
    expect(said).toMatchObject({
      code: 1,
      sessions: { status: 'wrong', advice: expect.stringMatching(/connect_query/) },
      seats: { status: 'ok' },
    });
    await pgbouncer.stop();
  });
});

describeWithRedis('of Redis', () => {
  let server: RunningRedis | undefined;
  let redis: Redis;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tixxety-test-'));
    server = await startRedis(folder);
    redis = new Redis(server?.url ?? services.addresses.redis ?? '');
  });
  afterAll(async () => {
    redis.disconnect();
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  it('finds one that forgets, throws jobs away, is nearly full, and whose keys others use', async () => {
    const REDIS_URL = server?.url;
    if (REDIS_URL === undefined) return; // never change the settings of a Redis that is not ours
    expect(await findings({ REDIS_URL })).toMatchObject({
      code: 0,
      redis: { status: 'ok' },
      'redis-memory': { status: 'ok' },
      'redis-persistence': { status: 'warning' },
      'redis-keys': { status: 'ok' },
    });
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const delayed = `${await redisPrefixOf(database)}:expiration:delayed`;
    await redis.set(delayed, 'x');
    expect(await findings({ REDIS_URL })).toMatchObject({
      code: 1,
      'redis-memory': { status: 'wrong', message: expect.stringMatching(/allkeys-lru/) },
      'redis-keys': {
        status: 'wrong',
        details: [{ message: `${delayed} is a string, not a zset` }],
      },
    });
    await redis.flushall();
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
    await redis.config('SET', 'appendonly', 'yes');
    await redis.config('SET', 'maxmemory', '100');
    expect(await findings({ REDIS_URL })).toMatchObject({
      code: 0,
      'redis-memory': { status: 'warning', message: expect.stringMatching(/nearly full/) },
      'redis-persistence': { status: 'ok' },
      clocks: { status: 'ok', message: expect.stringMatching(/^PostgreSQL .+, Redis /) },
    });
  });
});
