import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkClocks } from '../../scripts/doctor/clocks';
import { EXTENSIONS } from '../../src/database/tixxety-data-source';
import { createDatabase, type TestDatabase } from '../support/databases';
import { doctorOf } from '../support/doctor';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

const { doctor, findings } = doctorOf(() => database);

describe('npm run doctor', () => {
  it('finds nothing wrong with a sound database', async () => {
    const { code, output, stderr } = await doctor();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = output.trim().split('\n');
    expect(lines.pop()).toBe(`${lines.length} checks: sound.`);
    for (const line of lines) expect(line).toMatch(/^ok {8}[a-z-]+ +\S/);
  });

  it.each([
    [['--fixx'], "Unknown option '--fixx'. See --help.\n"],
    [['seats'], "Unexpected argument 'seats'. See --help.\n"],
  ])('could not check, and says so, with %j', async (args, sentence) => {
    expect(await doctor(args)).toEqual({ code: 2, output: sentence, stderr: sentence });
  });

  it('knows the extensions that the migrations install', async () => {
    const rows = await database.sql<{ name: string }>(
      `SELECT extname AS name FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1`,
    );
    expect(EXTENSIONS).toEqual(rows.map(({ name }) => name));
  });

  it('names admins that ADMIN_EMAIL no longer does', async () => {
    const settings = { ADMIN_EMAIL: 'Next@example.com', ADMIN_PASSWORD: 'a long and private phrase' };
    const [former] = await database.sql<{ id: number; email: string }>(
      `SELECT id, email FROM users WHERE role = 'admin'`,
    );
    expect(await findings(settings)).toMatchObject({
      admins: { status: 'warning', message: `1 other admin: user ${former?.id}, ${former?.email}` },
    });
    expect(await findings({ ...settings, ADMIN_EMAIL: former?.email.toUpperCase() ?? '' })).toMatchObject({
      admins: { status: 'ok' },
    });
  });

  it('says what it could not check, and no password', async () => {
    const { code, output } = await doctor([], {
      DATABASE_URL: 'postgres://ada:hush@127.0.0.1:1/tickets',
      REDIS_URL: 'redis://:hush@127.0.0.1:1',
    });
    expect(code).toBe(2);
    expect(output).toMatch(
      /^UNCHECKED postgresql +DATABASE_URL: no connection to 127\.0\.0\.1:1\/tickets .+\.$/m,
    );
    expect(output).toMatch(/^WRONG {5}redis +.+ECONNREFUSED/m);
    expect(output).toMatch(/^3 checks: 1 wrong, 1 could not be made\.\n$/m);
    expect(output).not.toContain('hush');
  });

  it('says which setting is malformed', async () => {
    const { code, settings } = await findings({ HOLD_SECONDS: 'long' });
    expect({ code, settings }).toEqual({
      code: 2,
      settings: {
        check: 'settings',
        status: 'unchecked',
        message: 'HOLD_SECONDS must be a whole number from 1 to 604800.',
      },
    });
  });

  it('says that production wants a secret, and a database that is not embedded', async () => {
    const production = {
      NODE_ENV: 'production',
      DATABASE_URL: '',
      DATA_DIR: join(tmpdir(), 'tixxety-nowhere'),
    };
    const [unsigned, embedded] = await Promise.all([
      findings({ ...production, JWT_SECRET: '' }),
      findings(production),
    ]);
    expect(unsigned.settings).toMatchObject({
      status: 'wrong',
      message: expect.stringMatching(/no JWT_SECRET/),
    });
    expect(embedded).toMatchObject({
      code: 2,
      settings: { status: 'warning' },
      postgresql: { status: 'unchecked', message: expect.stringMatching(/^DATA_DIR: there is no database/) },
    });
  });

  it('names the clock that is wrong', async () => {
    const inTenMinutes = () => Promise.resolve(Date.now() + 600_000);
    const now = () => Promise.resolve(Date.now());
    expect(await checkClocks({ here: now, there: inTenMinutes })).toMatchObject({
      status: 'warning',
      message: expect.stringMatching(/^here 0\.0\d\d s \w+, there 600 s ahead: /),
    });
    expect(await checkClocks({ here: now })).toMatchObject({ status: 'ok' });
  });
});
