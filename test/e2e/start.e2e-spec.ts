import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { startApi } from '../../src/api';
import type { RunningServer } from '../../src/http/running-server';
import { readSettings } from '../../src/config/settings';
import { StartupError } from '../../src/config/startup-error';
import { startWorker } from '../../src/worker';
import { Client } from '../support/client';
import { createBareDatabase, createDatabase, type TestDatabase } from '../support/databases';
import { eventBody } from '../support/factories';
import { ownRedis } from '../support/redis';
import { TEST_SECRET } from '../support/tokens';
import { itWithRedis } from '../support/with-redis';

const logger = pino({ level: 'silent' });

const optionsFor = (environment: Record<string, string>, migrate = false) => ({
  settings: readSettings({ NODE_ENV: 'test', PORT: '0', JWT_SECRET: TEST_SECRET, ...environment }),
  migrate,
  say: () => undefined,
});

describe('starting in this process', () => {
  let folder: string;
  let database: TestDatabase;
  const running: RunningServer[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tixxety-start-'));
    chmodSync(folder, 0o755); // as root, PostgreSQL runs as somebody else
    database = await createDatabase();
  });
  afterEach(async () => {
    for (const process of running.splice(0)) await process.stop();
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await database.drop();
  });

  async function start(environment: Record<string, string>, migrate = false): Promise<RunningServer> {
    const started = await startApi(optionsFor(environment, migrate), logger);
    running.push(started);
    return started;
  }

  it('answers on a database of its own, migrated, and refuses a second one on the same folder', async () => {
    const api = new Client((await start({ DATA_DIR: folder })).url);
    expect(await api.get('/health/ready')).toMatchObject({ status: 200 });
    await expect(startApi(optionsFor({ DATA_DIR: folder }), logger)).rejects.toThrow(
      /^DATA_DIR: another Tixxety/,
    );
    expect(await api.get('/events/')).toMatchObject({ status: 200, body: [] });
  });

  it('finds its data and its secret again, and makes an admin the first time', async () => {
    const settings = { DATA_DIR: join(folder, 'new'), JWT_SECRET: '' };
    const first = await startApi(optionsFor(settings), logger);
    const { ADMIN_EMAIL: username, ADMIN_PASSWORD: password } = first.admin ?? {};
    const sent = { grant_type: 'password', username, password };
    const { body } = await new Client(first.url, '').post('/auth/token', sent);
    expect((await new Client(first.url, body.access_token).post('/events/', eventBody())).status).toBe(201);
    await first.stop();
    expect(existsSync(join(folder, 'new/postgres/data/postmaster.pid'))).toBe(false);

    const second = await start(settings);
    expect(second.admin).toBeUndefined();
    expect((await new Client(second.url).get('/events/')).body).toHaveLength(1);
    const admin = await new Client(second.url, body.access_token).get('/users/1');
    expect(admin).toMatchObject({ status: 200, body: { email: username } });
  });

  it('makes no admin by itself in production, or where one is named', async () => {
    const settings = { DATA_DIR: folder, NODE_ENV: 'production' };
    await expect(startApi(optionsFor({ ...settings, JWT_SECRET: '' }), logger)).rejects.toThrow(
      /^JWT_SECRET is not set/,
    );
    const named = { ADMIN_EMAIL: 'root@tixxety.test', ADMIN_PASSWORD: 'twelve or more' };
    const cases: Record<string, string>[] = [
      settings,
      { DATABASE_URL: database.url },
      { DATA_DIR: folder, ...named },
    ];
    for (const environment of cases) {
      const api = await startApi(optionsFor(environment), logger);
      expect(api.admin).toBeUndefined();
      await api.stop();
    }
  });

  describe('beside another one', () => {
    let neighbour: RunningServer;
    beforeAll(async () => {
      neighbour = await startApi(optionsFor({ DATABASE_URL: database.url }), logger);
      writeFileSync(join(folder, 'file'), '');
    });
    afterAll(() => neighbour.stop());

    it.each([
      [
        'a taken port',
        () => ({ PORT: new URL(neighbour.url).port }),
        /^PORT \d+ is taken on 127\.0\.0\.1: [^\n]+\.$/,
      ],
      [
        'a foreign address',
        () => ({ HOST: '192.0.2.1' }),
        /^HOST 192\.0\.2\.1 is no address of this machine: [^\n]+\.$/,
      ],
      [
        'a database that is not there',
        () => ({ DATABASE_URL: database.url.replace(database.name, 'nonesuch') }),
        /^DATABASE_URL: no connection to \S+nonesuch \(database [^\n]+ does not exist\); create it there \(createdb nonesuch\), [^\n]+\.$/,
      ],
      [
        'a folder that can not be made',
        () => ({ DATABASE_URL: '', DATA_DIR: join(folder, 'file/data') }),
        /^DATA_DIR[^\n]+file\/data[^\n]+\.$/,
      ],
    ])('refuses %s in a sentence', async (_what, wrong, sentence) => {
      const attempt = startApi(optionsFor({ DATABASE_URL: database.url, ...wrong() }), logger);
      await expect(attempt).rejects.toThrow(StartupError);
      await expect(attempt).rejects.toThrow(sentence);
    });
  });

  it('refuses a schema that is behind, and brings it up to date when asked', async () => {
    const bare = await createBareDatabase();
    try {
      await expect(startApi(optionsFor({ DATABASE_URL: bare.url }), logger)).rejects.toThrow(
        /migrations are pending/,
      );
      const left = `SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations'`;
      expect(await bare.sql(left)).toEqual([]);
      const { url } = await start({ DATABASE_URL: bare.url }, true);
      expect(await new Client(url).get('/events/')).toMatchObject({ status: 200 });
      await running.pop()?.stop();
    } finally {
      await bare.drop();
    }
  });

  it('refuses a worker without Redis', async () => {
    const attempt = startWorker(optionsFor({ DATABASE_URL: database.url }), logger);
    await expect(attempt).rejects.toThrow(/^REDIS_URL is not set/);
  });

  itWithRedis('serves the health of a worker and nothing else', async () => {
    const redis = await ownRedis();
    const environment = { DATABASE_URL: database.url, REDIS_URL: redis.url };
    const worker = await startWorker(optionsFor(environment), logger);
    running.push(worker);
    const client = new Client(worker.url);
    expect(await client.get('/health/live')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await client.get('/health/ready')).toMatchObject({ status: 200 });
    expect(await client.get('/events/')).toMatchObject({ status: 404 });
    const port = new URL(worker.url).port;
    await expect(startWorker(optionsFor({ ...environment, WORKER_PORT: port }), logger)).rejects.toThrow(
      /^WORKER_PORT \d+ can't be used/,
    );
    await running.pop()?.stop();
    await redis.stop();
  });

  it('gives the port of a worker the limits and the refusals of that of the API', async () => {
    const environment = { DATABASE_URL: database.url, REDIS_URL: 'redis://127.0.0.1:1' };
    const worker = await startWorker(optionsFor(environment), logger);
    running.push(worker);
    const port = Number(new URL(worker.url).port);
    const open = async () => {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    };
    const answerTo = async (sent: string) => await text((await open()).end(sent));
    expect(await answerTo('no HTTP\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*application\/problem\+json/s);

    const live = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n';
    expect(await answerTo(live)).toMatch(/^HTTP\/1\.1 200 /);
    const sockets = await Promise.all(Array.from({ length: 1_000 }, open));
    expect(await answerTo(live).catch(() => '')).toBe('');
    for (const socket of sockets) socket.destroy();
  });
});
