import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type TestDatabase } from '../support/databases';
import { runMain, startMain } from '../support/processes';

const DOCTOR = join(__dirname, '../../dist/scripts/doctor/main.js');

// Processes start slowly on a busy machine.
jest.setTimeout(60_000);

describe('.env', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tixxety-env-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const text = 'PORT=from-file\nHOLD_SECONDS=from-file\n';
  const bigEndian = Buffer.from(`\ufeff${text}`, 'utf16le').swap16();

  it.each([
    ['a byte order mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16, as PowerShell writes it', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16, big end first', bigEndian],
    ['line ends of Windows', Buffer.from(text.replaceAll('\n', '\r\n'))],
  ])('is read with %s', async (_, bytes) => {
    writeFileSync(join(folder, '.env'), bytes);
    const { code, stderr } = await runMain([], {}, folder);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^PORT must [^\n]+\nHOLD_SECONDS must [^\n]+\n$/);
  });

  it.each([
    ['UTF-16 that does not say so', Buffer.from(text, 'utf16le')],
    ['Latin-1', Buffer.from('ADMIN_PASSWORD=Fußgänger-Übergang\n', 'latin1')],
  ])('is refused in one sentence as %s', async (_, bytes) => {
    writeFileSync(join(folder, '.env'), bytes);
    const { code, stderr } = await runMain([], {}, folder);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^\.env could not be read: [^\n]+\.\n$/);
  });
});

describe('an address to listen on', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  it('may be of IPv6, of one process and of several', async () => {
    for (const WEB_CONCURRENCY of ['1', '2']) {
      const api = await startMain([], { DATABASE_URL: database.url, HOST: '::1', WEB_CONCURRENCY });
      expect(api.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
      expect((await fetch(`${api.url}/health/live`)).status).toBe(200);
      await api.stop();
    }
  });

  it.each(['fe80::1', 'fe80::1%nowhere', '192.0.2.1', 'no.such.host.invalid', '[::1]'])(
    'is refused in one sentence where this machine has none: %s',
    async (HOST) => {
      const { code, stderr } = await runMain([], { DATABASE_URL: database.url, PORT: '0', HOST });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^HOST [^\n]+ is no address of this machine: set HOST to one, [^\n]+\.\n$/);
    },
  );
});

describe('output that nobody reads to its end', () => {
  it('ends the doctor in silence, as in `doctor | head`', async () => {
    const doctor = spawn(process.execPath, [DOCTOR], {
      cwd: tmpdir(),
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: 'postgres://127.0.0.1:1/x',
        REDIS_URL: 'redis://127.0.0.1:1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let complaint = '';
    doctor.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    doctor.stdout.destroy();
    await once(doctor, 'close');
    expect(complaint).toBe('');
  });
});
