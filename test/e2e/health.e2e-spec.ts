import { pino } from 'pino';
import { readSettings } from '../../src/config/settings';
import { startWorker } from '../../src/worker';
import { startTestApi } from '../support/api';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy';
import { Client, type Answer } from '../support/client';
import { DATA_HEADERS } from '../support/data-headers';
import { createDatabase, runSql, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { eventBody, factoriesFor, userBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { startMain, type RunningProcess } from '../support/processes';
import { ownRedis } from '../support/redis';
import { TEST_SECRET } from '../support/tokens';
import { itWithRedis } from '../support/with-redis';

const METRICS_TOKEN = 'what-prometheus-shows';
const LIVE = { status: 200, body: { status: 'ok' } };
/** A query gets three seconds, and a request may have waited for the one before. */
const PATIENCE_MS = 10_000;
const RELEASES_FAIL = /Holds can't be released/g;
const RELEASES_RESUME = /Holds are being released again/g;

describe('health', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  itWithRedis('is fine with everything there, and degraded, not down, without Redis', async () => {
    const redis = await ownRedis();
    const options = {
      settings: readSettings({
        DATABASE_URL: database.url,
        REDIS_URL: redis.url,
        JWT_SECRET: TEST_SECRET,
        METRICS_TOKEN,
      }),
      migrate: false,
      say: () => undefined,
    };
    const api = await startTestApi({ DATABASE_URL: database.url, REDIS_URL: redis.url });
    const worker = await startWorker(options, pino({ level: 'silent' }));
    const clients = [api.client, new Client(worker.url)];
    for (const client of clients) {
      expect(await client.get('/health/live')).toMatchObject(LIVE);
      await eventually(async () => {
        expect(await client.get('/health/ready')).toMatchObject(ready({ redis: { status: 'up' } }));
      });
    }
    await redis.takeAway();
    for (const client of clients) {
      expect(await client.get('/health/live')).toMatchObject(LIVE);
      await eventually(async () => {
        const answer = await client.get('/health/ready');
        expect(answer).toMatchObject(ready({ redis: { message: expect.stringMatching(/^degraded/) } }));
      });
    }
    await redis.stop();
    for (const path of ['/health/live', '/health/ready', '/metrics', '/nothing']) {
      const answer = await clients[1]?.get(path, { Authorization: `Bearer ${METRICS_TOKEN}` });
      expect([path, answer?.status]).toEqual([path, path === '/nothing' ? 404 : 200]);
      expect({ path, ...Object.fromEntries(answer?.headers ?? []) }).toMatchObject({ path, ...DATA_HEADERS });
    }
    await Promise.all([api.stop(), worker.stop()]);
  });

  it('fails while migrations are pending', async () => {
    const api = await startTestApi({ DATABASE_URL: database.url });
    expect(await api.client.get('/health/ready')).toMatchObject(ready({ redis: { message: 'not used' } }));
    const [last] = await database.sql(
      'DELETE FROM migrations WHERE id = (SELECT max(id) FROM migrations) RETURNING *',
    );
    await eventually(async () =>
      expect(await api.client.get('/health/ready')).toMatchObject({
        status: 503,
        body: { details: { database: { status: 'up' }, migrations: { status: 'down', message: 'pending' } } },
      }),
    );
    expect(await api.client.get('/health/live')).toMatchObject(LIVE);
    await database.sql('INSERT INTO migrations (timestamp, name) VALUES ($1, $2)', [
      last.timestamp,
      last.name,
    ]);
    await eventually(async () =>
      expect(await api.client.get('/health/ready')).toMatchObject({ status: 200 }),
    );
    await api.stop();
  });
});

describe('with the disk of its database full', () => {
  it('is not ready and says why, until there is room again', async () => {
    const database = await createDatabase();
    const api = await startTestApi({ DATABASE_URL: database.url });
    // What PostgreSQL may write to its disk beside the tables; only a superuser may say so.
    const superuser = new URL(database.url);
    superuser.username = 'postgres';
    const limit = async (kilobytes: number) => {
      await runSql(superuser.href, `ALTER DATABASE ${database.name} SET temp_file_limit = ${kilobytes}`);
      await runSql(
        superuser.href,
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      );
    };
    await limit(0);
    await eventually(async () =>
      expect(await api.client.get('/health/ready')).toMatchObject({
        status: 503,
        body: { details: { database: { status: 'down', message: 'its disk is full' } } },
      }),
    );
    expect(await api.client.get('/health/live')).toMatchObject(LIVE);
    await limit(-1);
    await eventually(async () =>
      expect(await api.client.get('/health/ready')).toMatchObject({ status: 200 }),
    );
    await api.stop();
    await database.drop();
  });
});

describe('without its database', () => {
  let database: TestDatabase;
  let proxy: FaultProxy;
  let api: RunningProcess;
  let worker: RunningProcess;
  let clients: [api: Client, worker: Client];

  beforeAll(async () => {
    database = await createDatabase();
    proxy = await startFaultProxy(database.url);
    ({ api, worker, clients } = await startBoth(proxy.url));
  });
  afterAll(async () => {
    await Promise.all([api.stop(), worker.stop()]);
    await proxy.cut();
    await database.drop();
  });

  it('or with it, health is all that a worker answers', async () => {
    const [, client] = clients;
    for (const path of ['/', '/events/', '/docs', '/health', '/health/nonesuch', '/tickets/1']) {
      expect(await client.get(path)).toMatchObject({ status: 404, body: { status: 'not found' } });
    }
  });

  it.each([
    { way: 'that refuses connections', strike: () => proxy.cut(), outage: 1 },
    { way: 'that says nothing any more', strike: () => proxy.freeze(), outage: 2 },
  ])('$way, it lives, answers 503 in time, says so once, and heals by itself', async ({ strike, outage }) => {
    const count = (sentence: RegExp) => worker.output().match(sentence)?.length ?? 0;
    const [client] = clients;
    const create = factoriesFor(client);
    const [user, event] = await Promise.all([
      create.user({ location_latitude: 0, location_longitude: 0 }),
      create.event(),
    ]);
    const held = await create.ticket({ user_id: user.id, event_id: event.id });
    const requests = [
      () => client.get('/events/'),
      () => client.get(`/events/${event.id}`),
      () => client.get(`/users/for-you/?user_id=${user.id}`),
      () => client.get(`/users/${user.id}/tickets`),
      () => client.get(`/tickets/${held.id}`),
      () => client.post('/users/', userBody()),
      () => client.post('/events/', eventBody()),
      () => client.post('/tickets/', { user_id: user.id, event_id: event.id }),
      () => client.post(`/tickets/${held.id}/pay`),
      () => client.post(`/tickets/${held.id}/cancel`),
    ];

    await strike();
    // More than the pool has connections.
    const crowd = await Promise.all([...requests, ...requests].map(timed));
    for (const { answer, ms } of crowd) {
      expectProblem(answer, 503, 'service_unavailable');
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(ms).toBeLessThan(PATIENCE_MS);
    }
    process.stdout.write(`503 after at most ${Math.max(...crowd.map(({ ms }) => ms))} ms\n`);
    for (const each of clients) expect(await each.get('/health/live')).toMatchObject(LIVE);
    for (const { answer, ms } of await Promise.all(
      clients.map((each) => timed(() => each.get('/health/ready'))),
    )) {
      expect(answer).toMatchObject({ status: 503, body: { details: { database: { status: 'down' } } } });
      expect(ms).toBeLessThan(PATIENCE_MS);
    }
    await eventually(() => expect(count(RELEASES_FAIL)).toBe(outage));

    await proxy.heal();
    for (const each of clients) {
      await eventually(async () => expect(await each.get('/health/ready')).toMatchObject({ status: 200 }));
    }
    const answers = await Promise.all(requests.map((request) => request()));
    await eventually(() => expect(count(RELEASES_RESUME)).toBe(outage));
    expect(count(RELEASES_FAIL)).toBe(outage);
    // The ticket is paid now, so it can't be given back.
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 201, 201, 201, 200, 409]);
  });

  it('that has only ended its connections, it goes on as if nothing had been', async () => {
    await database.sql(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    const [client] = clients;
    await eventually(async () => expect(await client.get('/events/')).toMatchObject({ status: 200 }));
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.post('/users/', userBody())));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  });
});

const ready = (details: object) => ({
  status: 200,
  body: {
    status: 'ok',
    details: { database: { status: 'up' }, migrations: { status: 'up' }, ...details },
  },
});

/** An API without Redis, and a worker whose Redis is not there. */
async function startBoth(DATABASE_URL: string) {
  const [api, worker] = await Promise.all([
    startMain([], { DATABASE_URL }),
    startMain(['--worker'], { DATABASE_URL, REDIS_URL: 'redis://127.0.0.1:1' }),
  ]);
  const clients: [Client, Client] = [new Client(api.url), new Client(worker.url)];
  return { api, worker, clients };
}

async function timed(request: () => Promise<Answer>): Promise<{ answer: Answer; ms: number }> {
  const begun = Date.now();
  const answer = await request();
  return { answer, ms: Date.now() - begun };
}
