import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { interruptMain, startMain, type RunningProcess } from '../support/processes';
import { services } from '../support/services';
import { describeWithRedis } from '../support/with-redis';

const EXIT_WITHIN_MS = 10_000;
const METRICS_TOKEN = 'what-prometheus-presents';

// Processes start slowly on a busy machine.
jest.setTimeout(60_000);

describe('with the embedded PostgreSQL', () => {
  // As root, PostgreSQL runs as another account, which must be able to reach the folder.
  const folder = mkdtempSync(join(tmpdir(), 'tixxety-exit-'));
  const thrower = join(folder, 'thrower.js');
  const pidFile = join(folder, 'data/postgres/data/postmaster.pid');
  const environment = { DATA_DIR: join(folder, 'data') };
  beforeAll(() => {
    writeFileSync(
      thrower,
      `process.on('SIGUSR2', () => { throw Object.assign(new Error('a defect'), { command: undefined, values: ['hush'] }) });`,
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const postgres = () => Number(firstLine(pidFile));
  function firstLine(file: string): string {
    return existsSync(file) ? (readFileSync(file, 'utf8').split('\n')[0] ?? '') : '';
  }
  const isAlive = (pid: number) => existsSync(`/proc/${pid}`);
  // Our process tells PostgreSQL to stop before it ends; PostgreSQL's last checkpoint may take a moment longer.
  const expectEnded = (pid: number) => eventually(() => expect(isAlive(pid)).toBe(false));

  it.each(['SIGHUP', 'SIGQUIT', 'SIGTERM', 'SIGINT'] as const)('%s ends both, with 0', async (signal) => {
    const api = await startMain([], environment);
    const pid = postgres();
    expect(isAlive(pid)).toBe(true);
    const { code } = await api.stop(signal);
    expect(code).toBe(0);
    await expectEnded(pid);
  });

  it.each([
    ['the cluster is made', 'SIGTERM', /Creating a database/, {}],
    ['the schema has been made', 'SIGINT', /Applied migrations/, {}],
    ['its processes start', 'SIGHUP', /Applied migrations/, { WEB_CONCURRENCY: '2' }],
  ] as const)(
    'a start in which %s ends both with %s, before it listens',
    async (_what, signal, said, more) => {
      const dataDir = join(folder, `interrupted-${signal}`);
      const { code, output } = await interruptMain(said, signal, { ...more, DATA_DIR: dataDir });
      expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/"Stopped"}\n$/) });
      expect(output).not.toContain('listening');
      expect(existsSync(join(dataDir, 'postgres/data/postmaster.pid'))).toBe(false);
    },
  );

  it('an error that nobody caught ends both, with 1, and is told without what it carries', async () => {
    const api = await startMain([], { ...environment, NODE_OPTIONS: `--require ${thrower}` });
    const pid = postgres();
    const { code, output } = await api.stop('SIGUSR2');
    expect(code).toBe(1);
    await expectEnded(pid);
    expect(output).toContain('a defect');
    expect(output).not.toContain('hush');
  });

  it('a second Ctrl-C ends both at once', async () => {
    const api = await startMain([], environment);
    const pid = postgres();
    const held = await holdOn(api);
    api.child.kill('SIGINT');
    await sleep(700);
    const { code } = await api.stop('SIGINT');
    for (const socket of held) socket.destroy();
    expect([0, 130]).toContain(code);
    await expectEnded(pid);
  });
});

describe('whoever is connected, SIGTERM ends with 0 in time', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  const ends = async (args: string[], settings: Record<string, string>) => {
    const running = await startMain(args, { DATABASE_URL: database.url, METRICS_TOKEN, ...settings });
    const held = await holdOn(running);
    const begun = performance.now();
    const { code, output } = await running.stop('SIGTERM');
    const tookMs = performance.now() - begun;
    for (const socket of held) socket.destroy();
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    expect(tookMs).toBeLessThan(EXIT_WITHIN_MS);
  };

  it('an API', () => ends([], {}));
  it('several APIs on one port', () => ends([], { WEB_CONCURRENCY: '2' }));
  describeWithRedis('with Redis', () => {
    it('an API', () => ends([], { REDIS_URL: services.addresses.redis ?? '' }));
    it('a worker', () => ends(['--worker'], { REDIS_URL: services.addresses.redis ?? '' }));
  });

  it('goes on when nobody reads its log any more', async () => {
    const api = await startMain([], { DATABASE_URL: database.url });
    api.child.stdout?.destroy();
    api.child.stderr?.destroy();
    for (let i = 0; i < 20; i++) expect((await fetch(`${api.url}/events/`)).status).toBe(200);
    await api.stop();
    expect(api.child.exitCode).toBe(0);
  });
});

/** Clients of each kind that a process must not wait for. */
async function holdOn({ url }: RunningProcess): Promise<Socket[]> {
  const { port } = new URL(url);
  const head = (line: string) => `${line} HTTP/1.1\r\nHost: localhost\r\n`;
  const bearer = `Authorization: Bearer ${METRICS_TOKEN}\r\n`;
  const said = [
    '', // connected, and nothing said
    `${head('GET /health/live')}\r\n`, // keeps its connection
    head('GET /events/'), // in the middle of its headers
    `${head('POST /users/')}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`, // and of its body
    `${head('GET /metrics')}${bearer}\r\n`.repeat(200), // reads nothing of what it gets
    `${head('GET /docs')}\r\n`.repeat(500),
  ];
  const sockets = said.map((text, i) => {
    const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
    socket.write(text);
    if (i >= 4) socket.pause();
    return socket;
  });
  // A slow upload goes on all the time.
  const slow = connect(Number(port), '127.0.0.1').on('error', () => undefined);
  slow.write(`${head('POST /users/')}Content-Type: application/json\r\nContent-Length: 30000\r\n\r\n{`);
  const drip = setInterval(() => slow.writable && slow.write(' '), 100);
  slow.on('close', () => clearInterval(drip));
  const all = [...sockets, slow];
  await eventually(() => expect(all.every(({ readyState }) => readyState === 'open')).toBe(true));
  await sleep(300);
  return all;
}
