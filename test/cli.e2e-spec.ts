import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VERSION } from '../src/version';
import { Client } from './support/client';
import { createBareDatabase, createDatabase, type TestDatabase } from './support/databases';
import { eventually } from './support/eventually';
import { factoriesFor, userBody } from './support/factories';
import { runMain, startMain, type Finished, type RunningProcess } from './support/processes';

/** Nothing listens on it. */
const NOWHERE = '127.0.0.1:1';
const DEAD_REDIS = `redis://${NOWHERE}`;
/** Generous: what is meant to take a second must not take ten, after which the process gives up by itself. */
const SOON_MS = 7_000;

let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  database = await createDatabase();
  folder = mkdtempSync(join(tmpdir(), 'tixxety-test-'));
  chmodSync(folder, 0o755); // as root, PostgreSQL runs as somebody else
});
afterAll(async () => {
  await database.drop();
  rmSync(folder, { recursive: true });
});

const environment = () => ({ DATABASE_URL: database.url, REDIS_URL: DEAD_REDIS });
const start = (args: string[] = [], settings: Record<string, string> = {}) =>
  startMain(args, { ...environment(), ...settings });

describe('the command line', () => {
  it('shows its usage', async () => {
    const { code, output, stderr } = await runMain(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(output).toMatch(/^Usage: node dist\/src\/main\.js \[options\]\n/);
    for (const option of ['--worker', '--migrate', '--help', '--version']) expect(output).toContain(option);
  });

  it('shows its version', async () => {
    expect(await runMain(['-v'])).toEqual({ code: 0, output: `${VERSION}\n`, stderr: '' });
  });
});

interface Refusal {
  args?: string[];
  settings?: Record<string, string>;
  cwd?: string;
  says: RegExp;
}

describe('a start that can not be', () => {
  let neighbour: RunningProcess;
  const outcomes: Record<string, Finished> = {};

  /** What is wrong, and all that the process may say about it. */
  const refusals: Record<string, () => Refusal> = {
    'an unknown flag': () => ({
      args: ['--nonsense'],
      says: /^Unknown option '--nonsense'\. See --help\.\n$/,
    }),
    'a word': () => ({ args: ['worker'], says: /^Unexpected argument 'worker'\. See --help\.\n$/ }),
    'malformed settings, each on its line': () => ({
      settings: { PORT: 'eighty', DATABASE_URL: 'mysql://localhost/tickets', REDIS_URL: 'localhost:6379' },
      says: /^PORT must be a whole number [^\n]+\.\nDATABASE_URL must look like [^\n]+\.\nREDIS_URL must look like [^\n]+\.\n$/,
    }),
    'a database that refuses connections': () => ({
      settings: { DATABASE_URL: `postgres://nobody@${NOWHERE}/tickets` },
      says: /^DATABASE_URL: no connection to 127\.0\.0\.1:1\/tickets \([^\n]*ECONNREFUSED[^\n]*\); [^\n]+\.\n$/,
    }),
    'a database that is not there': () => ({
      settings: { DATABASE_URL: database.url.replace(database.name, 'nonesuch') },
      says: /^DATABASE_URL: no connection to \S+nonesuch \(database [^\n]+ does not exist\); [^\n]+\.\n$/,
    }),
    'a PORT that is taken': () => ({
      settings: { PORT: new URL(neighbour.url).port },
      says: /^PORT \d+ is taken on 127\.0\.0\.1: [^\n]+\.\n$/,
    }),
    'a WORKER_PORT that is taken': () => ({
      args: ['--worker'],
      settings: { WORKER_PORT: new URL(neighbour.url).port },
      says: /^WORKER_PORT \d+ can't be used on 127\.0\.0\.1 [^\n]+\.\n$/,
    }),
    'a HOST that is not of this machine': () => ({
      settings: { HOST: '192.0.2.1' },
      says: /^HOST 192\.0\.2\.1 is no address of this machine: [^\n]+\.\n$/,
    }),
    'a worker without a REDIS_URL': () => ({
      args: ['--worker'],
      settings: { REDIS_URL: '' },
      says: /^REDIS_URL is not set: [^\n]+\.\n$/,
    }),
    'a DATA_DIR that can not be made': () => ({
      settings: { DATABASE_URL: '', DATA_DIR: join(folder, 'file/data') },
      says: /^DATA_DIR[^\n]+file\/data[^\n]+\.\n$/,
    }),
    'an .env that is no file': () => ({
      cwd: join(folder, 'odd'),
      says: /^\.env could not be read: [^\n]+\.\n$/,
    }),
  };

  beforeAll(async () => {
    writeFileSync(join(folder, 'file'), '');
    mkdirSync(join(folder, 'odd/.env'), { recursive: true });
    neighbour = await start();
    const rest = Object.entries(refusals);
    const runRest = async () => {
      for (let next = rest.pop(); next; next = rest.pop()) {
        const { args = [], settings, cwd } = next[1]();
        outcomes[next[0]] = await runMain(args, { ...environment(), PORT: '0', ...settings }, cwd);
      }
    };
    await Promise.all([runRest(), runRest(), runRest()]);
  }, 60_000);
  afterAll(() => neighbour.stop());

  it.each(Object.entries(refusals))('ends, and says why: %s', (name, refusal) => {
    expect(outcomes[name]).toMatchObject({ code: 1, stderr: expect.stringMatching(refusal().says) });
  });
});

describe('a database without a schema', () => {
  let bare: TestDatabase;
  beforeAll(async () => {
    bare = await createBareDatabase();
  });
  afterAll(() => bare.drop());

  it('is left alone by an API and by a worker, which end and name the way out', async () => {
    const settings = { ...environment(), DATABASE_URL: bare.url, PORT: '0' };
    for (const outcome of await Promise.all([runMain([], settings), runMain(['--worker'], settings)])) {
      expect(outcome).toMatchObject({ code: 1, output: outcome.stderr });
      expect(outcome.stderr).toBe(
        'DATABASE_URL names a database whose migrations are pending: run `npm run migration:run`, or start with --migrate.\n',
      );
    }
    expect(
      await bare.sql(`SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations'`),
    ).toEqual([]);
  });

  it('gets its schema with --migrate, once, also from two processes at the same time', async () => {
    const [api, worker] = await Promise.all([
      start(['--migrate'], { DATABASE_URL: bare.url }),
      start(['--migrate', '--worker'], { DATABASE_URL: bare.url }),
    ]);
    const applied = await bare.sql<{ name: string }>('SELECT name FROM migrations');
    const names = applied.map(({ name }) => name);
    expect(names).not.toEqual([]);
    expect(names).toEqual([...new Set(names)]);
    await factoriesFor(new Client(api.url)).user();
    for (const { code } of await Promise.all([api.stop(), worker.stop()])) expect(code).toBe(0);
  });
});

describe('the end', () => {
  it.each([
    ['an API', []],
    ['a worker', ['--worker']],
  ])('of %s comes soon and cleanly, with SIGTERM as with SIGINT', async (_, args) => {
    const both = await Promise.all([start(args), start(args)]);
    const begun = Date.now();
    for (const outcome of await Promise.all([both[0].stop('SIGTERM'), both[1].stop('SIGINT')])) {
      expect(outcome).toMatchObject({ code: 0, stderr: '' });
    }
    expect(Date.now() - begun).toBeLessThan(SOON_MS);
  });

  it('leaves a request under way the time to be answered, and takes no further ones', async () => {
    const api = await start();
    const { request, lock } = await reserveBehindLock(api);
    api.child.kill('SIGTERM');
    await eventually(() => expect(fetch(`${api.url}/health/live`)).rejects.toThrow());
    // The same signal once more, as npm would pass it on.
    const end = api.stop('SIGTERM');
    await lock.commit();
    expect(await request).toMatchObject({ status: 201, body: { status: 'reserved' } });
    const begun = Date.now();
    expect(await end).toMatchObject({ code: 0, stderr: '' });
    expect(Date.now() - begun).toBeLessThan(SOON_MS);
  });

  it('comes at once with a second Ctrl-C', async () => {
    const api = await start();
    const { request, lock } = await reserveBehindLock(api);
    const broken = expect(request).rejects.toThrow();
    api.child.kill('SIGINT');
    await sleep(700);
    expect(await api.stop('SIGINT')).toMatchObject({ code: 130 });
    await broken;
    await lock.commit();
  });

  /** A reservation that waits for its event's seats until the lock is given up. */
  async function reserveBehindLock(api: RunningProcess) {
    const client = new Client(api.url);
    const create = factoriesFor(client);
    const [user, event] = await Promise.all([create.user(), create.event()]);
    const lock = await database.begin('SELECT FROM inventory WHERE event_id = $1 FOR UPDATE', [event.id]);
    const request = client.post('/tickets/', { user_id: user.id, event_id: event.id });
    await database.untilBlocked();
    return { request, lock };
  }
});

describe('an embedded PostgreSQL', () => {
  it('keeps the data through Ctrl-C, the end of Node and its own; and belongs to one API', async () => {
    const dataDir = join(folder, 'embedded');
    const settings = { DATABASE_URL: '', REDIS_URL: '', DATA_DIR: dataDir };
    const postgres = () =>
      Number(readFileSync(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0]);

    let api = await start([], settings);
    const { body: organizer } = await new Client(api.url).post('/users/', userBody());
    const event = await factoriesFor(new Client(api.url, organizer.access_token)).event();
    const stillThere = async () =>
      expect(await new Client(api.url).get(`/events/${event.id}`)).toMatchObject({
        status: 200,
        body: event,
      });

    expect(await runMain([], { DATA_DIR: dataDir, PORT: '0' })).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^DATA_DIR: another Tixxety already runs on [^\n]+\.\n$/),
    });
    await stillThere();

    expect(await api.stop('SIGINT')).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(join(dataDir, 'postgres/data/postmaster.pid'))).toBe(false);
    api = await start([], settings);
    await stillThere();

    await api.stop('SIGKILL');
    expect(isAlive(postgres())).toBe(true);
    api = await start([], settings);
    await stillThere();

    const killed = postgres();
    process.kill(killed, 'SIGKILL');
    await eventually(async () => {
      expect(postgres()).not.toBe(killed);
      await stillThere();
    }, 20_000);

    const last = postgres();
    expect(await api.stop()).toMatchObject({ code: 0, stderr: '' });
    expect(isAlive(last)).toBe(false);
  }, 60_000);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
