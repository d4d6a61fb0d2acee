import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '../support/client';
import { createBareDatabase, createDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { factoriesFor, userBody } from '../support/factories';
import { logLines } from '../support/log-lines';
import { startMain } from '../support/processes';
import { TEST_SECRET } from '../support/tokens';

const MAIN = join(__dirname, '../../dist/src/main.js');
const SCRIPT = '/usr/bin/script';

describe('the log of a process', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tixxety-test-'));
    chmodSync(folder, 0o755); // as root, PostgreSQL runs as somebody else
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('tells of migrations, start, releases and stop, and has no line for people', async () => {
    const bare = await createBareDatabase();
    const api = await startMain(['--migrate'], { DATABASE_URL: bare.url, HOLD_SECONDS: '1' });
    const { body: user } = await new Client(api.url, '').post('/users/', userBody());
    const create = factoriesFor(new Client(api.url, user.access_token));
    const event = await create.event();
    for (let i = 0; i < 3; i++) await create.ticket({ user_id: user.id, event_id: event.id });
    await eventually(() => expect(api.output()).toContain('"released":'));
    const { output } = await api.stop('SIGTERM');
    const lines = logLines(output);
    const told = (msg: RegExp) => lines.filter((line) => msg.test(line.msg));

    expect(told(/^Applied migrations in [\d.]+ s: CreateBooking\d+, /)).toHaveLength(1);
    expect(told(/is listening$/)).toEqual([expect.objectContaining({ role: 'api', url: api.url })]);
    const releases = told(/^Released /);
    expect(releases.reduce((sum, { released }) => sum + Number(released), 0)).toBe(3);
    for (const line of releases)
      expect(line).toMatchObject({ trigger: 'sweeper', latest_ms: expect.any(Number) });
    expect(told(/^Stopp/)).toEqual([
      expect.objectContaining({ signal: 'SIGTERM', msg: 'Stopping' }),
      expect.objectContaining({ signal: 'SIGTERM', ms: expect.any(Number), cut_off: 0, msg: 'Stopped' }),
    ]);
    await bare.drop();
  }, 60_000);

  it('says what a stop has cut off', async () => {
    const database = await createDatabase();
    const api = await startMain([], { DATABASE_URL: database.url });
    const create = factoriesFor(new Client(api.url));
    const [user, event] = await Promise.all([create.user(), create.event()]);
    const lock = await database.begin('SELECT FROM quotas WHERE event_id = $1 FOR UPDATE', [event.id]);
    const cut = expect(create.ticket({ user_id: user.id, event_id: event.id })).rejects.toThrow();
    await database.untilBlocked();
    api.child.kill('SIGINT');
    await eventually(() => expect(api.output()).toContain('"msg":"Stopping"'));
    const again = setInterval(() => api.child.kill('SIGINT'), 300);
    await once(api.child, 'close');
    clearInterval(again);
    await cut;
    expect(logLines(api.output()).at(-1)).toMatchObject({ msg: 'Stopped by a second Ctrl-C', cut_off: 1 });
    await lock.commit();
    await database.drop();
  }, 60_000);

  it('names the file that keeps the credentials of a demo admin, and not the password', async () => {
    const dataDir = join(folder, 'data');
    const api = await startMain([], { DATA_DIR: dataDir });
    const file = join(dataDir, 'admin.env');
    const [, username, password = ''] =
      /^ADMIN_EMAIL=(.*)\nADMIN_PASSWORD=(.*)\n$/.exec(readFileSync(file, 'utf8')) ?? [];
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const signIn = { grant_type: 'password', username, password };
    expect(await new Client(api.url, '').post('/auth/token', signIn)).toMatchObject({ status: 200 });
    const { output } = await api.stop();
    expect(logLines(output)).toContainEqual(expect.objectContaining({ admin_file: file }));
    expect(output).not.toContain(password);
  }, 60_000);

  it('is for people where a person watches', async () => {
    const database = await createDatabase();
    const environment = {
      PATH: process.env.PATH,
      PORT: '0',
      DATABASE_URL: database.url,
      JWT_SECRET: TEST_SECRET,
    };
    const command = `exec ${process.execPath} ${MAIN}`;
    const terminal = spawn(SCRIPT, ['-qec', command, '/dev/null'], { cwd: folder, env: environment });
    let output = '';
    terminal.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await eventually(() => expect(output).toMatch(/^ {2}API {4}http:\/\/127\.0\.0\.1:\d+\r?$/m));
    terminal.stdin.write('\u0003');
    await once(terminal, 'close');
    expect(output).toContain('Stopped');
    expect(output).not.toContain('"level"');
    await database.drop();
  }, 60_000);
});
