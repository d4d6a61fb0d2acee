import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VERSION } from '../../src/version';
import { Client } from '../support/client';
import { createBareDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { factoriesFor, userBody } from '../support/factories';
import { runMain, runScript, startMain, type RunningProcess } from '../support/processes';

const ROOT = join(__dirname, '../..');
/** Nothing listens on it. */
const NOWHERE = '127.0.0.1:1';
const DEAD_REDIS = `redis://${NOWHERE}`;

/** A database without a schema, until an API brings it. */
let bare: TestDatabase;
let folder: string;

beforeAll(async () => {
  bare = await createBareDatabase();
  folder = mkdtempSync(join(tmpdir(), 'tixxety-test-'));
  chmodSync(folder, 0o755); // as root, PostgreSQL runs as somebody else
  mkdirSync(join(folder, 'odd/.env'), { recursive: true });
});
afterAll(async () => {
  await bare.drop();
  rmSync(folder, { recursive: true });
});

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

describe('a script', () => {
  it.each(['demo/main', 'openapi', 'bruno/main', 'licences', 'rotate-ticket-key', 'sandbox'])(
    'shows its usage, and refuses what it does not take: %s',
    async (name) => {
      expect(await runScript(name, ['--help'])).toMatchObject({
        code: 0,
        output: expect.stringMatching(/^Usage: /),
      });
      const refusal = "Unexpected argument 'superfluous'. See --help.\n";
      expect(await runScript(name, ['superfluous'])).toEqual({ code: 1, output: refusal, stderr: refusal });
    },
  );

  it.each(['scripts/architecture.mjs', 'test/clients/check.mjs'])('so does %s', (file) => {
    const run = (arg: string) => spawnSync(process.execPath, [join(ROOT, file), arg], { encoding: 'utf8' });
    expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Usage: /) });
    expect(run('superfluous')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: "Unexpected argument 'superfluous'. See --help.\n",
    });
  });
});

describe('a start that can not be', () => {
  /** The fault, and all that the process may say about it. */
  const refusals: [
    string,
    () => { args?: string[]; settings?: Record<string, string>; cwd?: string },
    RegExp,
  ][] = [
    ['an unknown flag', () => ({ args: ['--nonsense'] }), /^Unknown option '--nonsense'\. See --help\.\n$/],
    ['a word', () => ({ args: ['worker'] }), /^Unexpected argument 'worker'\. See --help\.\n$/],
    [
      'malformed settings, each on its line',
      () => ({
        settings: { PORT: 'eighty', DATABASE_URL: 'mysql://localhost/tickets', REDIS_URL: 'localhost:6379' },
      }),
      /^PORT must be a whole number [^\n]+\.\nDATABASE_URL must look like [^\n]+\.\nREDIS_URL must look like [^\n]+\.\n$/,
    ],
    [
      'an .env that is no file',
      () => ({ cwd: join(folder, 'odd') }),
      /^\.env could not be read: [^\n]+\.\n$/,
    ],
    [
      'an API whose database refuses connections',
      () => ({ settings: { DATABASE_URL: `postgres://nobody@${NOWHERE}/tickets` } }),
      /^DATABASE_URL: no connection to 127\.0\.0\.1:1\/tickets \([^\n]*ECONNREFUSED[^\n]*\); [^\n]+\.\n$/,
    ],
    [
      'a worker whose database has no schema',
      () => ({ args: ['--worker'], settings: { DATABASE_URL: bare.url } }),
      /^DATABASE_URL names a database whose migrations are pending: [^\n]+ or start with --migrate\.\n$/,
    ],
    [
      'a folder where none can be made',
      () => ({ settings: { DATABASE_URL: '', DATA_DIR: '/proc/tixxety' } }),
      /^DATA_DIR: the embedded PostgreSQL in \/proc\/tixxety cannot run: [^\n]+; set DATA_DIR [^\n]+\.\n$/,
    ],
    [
      'the same, for a secret',
      () => ({ settings: { DATABASE_URL: '', DATA_DIR: '/proc/tixxety', JWT_SECRET: '' } }),
      /^JWT_SECRET is not set, and none can be kept in DATA_DIR \/proc\/tixxety [^\n]+\.\n$/,
    ],
  ];

  it.each(refusals)('ends, and says why: %s', async (_what, wrong, sentence) => {
    const { args = [], settings, cwd } = wrong();
    const { code, output, stderr } = await runMain(
      args,
      { REDIS_URL: DEAD_REDIS, PORT: '0', ...settings },
      cwd,
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(sentence) });
    expect(output).toBe(stderr);
  });

  it('takes the embedded PostgreSQL with it', async () => {
    const dataDir = join(folder, 'kept');
    mkdirSync(join(dataDir, 'admin.env'), { recursive: true });
    const { code, stderr } = await runMain([], { PORT: '0', DATA_DIR: dataDir });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /^DATA_DIR: the password of the first admin could not be kept [^\n]+\.\n$/,
      ),
    });
    expect(existsSync(join(dataDir, 'postgres/data/postmaster.pid'))).toBe(false);
  });

  it('ends a sandbox that is to listen where it can not, and says why', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const settings = { DATABASE_URL: bare.url, SANDBOX_SECRET: 'a-secret-of-the-sandbox', NODE_ENV: 'test' };
    const start = async (at: string) => {
      const args = ['--port', at, '--events-to', `http://${NOWHERE}/`];
      const { code, stderr } = await runScript('sandbox', args, settings);
      return { code, stderr };
    };
    expect(await start('http')).toEqual({
      code: 1,
      stderr: '--port must be a whole number from 0 to 65535.\n',
    });
    expect(await start(String(port))).toEqual({
      code: 1,
      stderr: `Port ${port} can't be listened on (EADDRINUSE): name another with --port.\n`,
    });
    taken.close();
    const nowhere = { ...settings, DATABASE_URL: `postgres://nobody@${NOWHERE}/none` };
    const args = ['--port', '0', '--events-to', `http://${NOWHERE}/`];
    expect(await runScript('sandbox', args, nowhere)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^DATABASE_URL: no connection to 127\.0\.0\.1:1\/none [^\n]+\.\n$/),
    });
  });
});

describe('an API and a worker', () => {
  let api: RunningProcess;
  let worker: RunningProcess;

  it('bring the schema with --migrate, once, also at the same time', async () => {
    const settings = { DATABASE_URL: bare.url, REDIS_URL: DEAD_REDIS };
    [api, worker] = await Promise.all([
      startMain(['--migrate'], settings),
      startMain(['--migrate', '--worker'], settings),
    ]);
    const applied = await bare.sql<{ name: string }>('SELECT name FROM migrations');
    const names = applied.map(({ name }) => name);
    expect(names).not.toEqual([]);
    expect(names).toEqual([...new Set(names)]);
    await factoriesFor(new Client(api.url)).user();
  });

  it('end with SIGTERM, once a request under way is answered, and take no further ones', async () => {
    const { request, lock } = await reserveBehindLock(api);
    api.child.kill('SIGTERM');
    await eventually(() => expect(fetch(`${api.url}/health/live`)).rejects.toThrow());
    // The same signal once more, as npm would pass it on.
    const end = api.stop('SIGTERM');
    await lock.commit();
    expect(await request).toMatchObject({ status: 201, body: { status: 'reserved' } });
    // A process that did not end by itself ends after ten seconds, with 1.
    expect(await end).toMatchObject({ code: 0, stderr: '' });
    expect(await worker.stop('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
  });

  it('end with the first Ctrl-C where nothing is under way, and with the second whatever is', async () => {
    const settings = { DATABASE_URL: bare.url, REDIS_URL: DEAD_REDIS };
    [api, worker] = await Promise.all([startMain([], settings), startMain(['--worker'], settings)]);
    expect(await worker.stop('SIGINT')).toMatchObject({ code: 0, stderr: '' });
    const { request, lock } = await reserveBehindLock(api);
    const broken = expect(request).rejects.toThrow();
    api.child.kill('SIGINT');
    await sleep(700);
    expect(await api.stop('SIGINT')).toMatchObject({ code: 130 });
    await broken;
    await lock.commit();
  });

  /** A reservation that waits for its event's seats until the lock is given up. */
  async function reserveBehindLock({ url }: RunningProcess) {
    const { body: user } = await new Client(url).post('/users/', userBody());
    const client = new Client(url, user.access_token);
    const event = await factoriesFor(client).event();
    const lock = await bare.begin('SELECT FROM quotas WHERE event_id = $1 FOR UPDATE', [event.id]);
    const request = client.post('/tickets/', { user_id: user.id, event_id: event.id });
    await bare.untilBlocked();
    return { request, lock };
  }
});

describe('an embedded PostgreSQL', () => {
  it('keeps the data through the end of Node, its own, and Ctrl-C', async () => {
    const dataDir = join(folder, 'embedded');
    const settings = { DATABASE_URL: '', REDIS_URL: '', DATA_DIR: dataDir };
    const postgres = () =>
      Number(readFileSync(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0]);

    let api = await startMain([], settings);
    const { body: organizer } = await new Client(api.url).post('/users/', userBody());
    const event = await factoriesFor(new Client(api.url, organizer.access_token)).event();
    const stillThere = async () =>
      expect(await new Client(api.url).get(`/events/${event.id}`)).toMatchObject({
        status: 200,
        body: event,
      });

    expect(await runScript('doctor/main', [], settings)).toMatchObject({ code: 0, stderr: '' });
    await stillThere();

    await api.stop('SIGKILL');
    const first = postgres();
    expect(isAlive(first)).toBe(true);
    api = await startMain([], settings);
    await stillThere();
    expect(postgres()).toBe(first);

    process.kill(first, 'SIGKILL');
    await eventually(async () => {
      expect(postgres()).not.toBe(first);
      await stillThere();
    }, 20_000);

    const last = postgres();
    expect(await api.stop('SIGINT')).toMatchObject({ code: 0, stderr: '' });
    // Told to stop before our process ended, it may take a moment longer.
    await eventually(() => expect(isAlive(last)).toBe(false));
  }, 60_000);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
