import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Redis from 'ioredis';
import { checkClocks } from '../../scripts/doctor/clocks';
import { examine } from '../../scripts/doctor/checks';
import { EXTENSIONS } from '../../src/database/tixxety-data-source';
import { Report } from '../../scripts/doctor/report';
import { checkSeats } from '../../scripts/doctor/seats';
import { readSettings } from '../../src/config/settings';
import { TixxetyDataSource } from '../../src/database/tixxety-data-source';
import { startTestApi, type TestApi } from '../support/api';
import { createBareDatabase, createDatabase, type TestDatabase } from '../support/databases';
import { hasPgBouncer, startPgBouncer } from '../support/pgbouncer';
import { runScript } from '../support/processes';
import { startRedis, type RunningRedis } from '../support/redis';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { redisPrefixOf } from '../support/redis-prefix';
import { services } from '../support/services';
import { TEST_SECRET } from '../support/tokens';
import { describeWithRedis } from '../support/with-redis';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

const doctor = (args: string[] = [], environment: Record<string, string> = {}) =>
  runScript('doctor/main', args, { DATABASE_URL: database.url, ...environment });

/** The same in this process: what it found, by check. */
async function findings(environment: Record<string, string> = {}, fix = false) {
  const report = new Report(true);
  const settings = { DATABASE_URL: database.url, JWT_SECRET: TEST_SECRET, ...environment };
  await examine(report, () => readSettings(settings), {
    fix,
    progress: (_, work) => work(() => undefined),
    stopped: new AbortController().signal,
  });
  const checks = Object.fromEntries(report.checks.map((each) => [each.check, each]));
  return { code: report.exitCode, ...checks } as { code: number } & Record<string, Report['checks'][number]>;
}

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
    [['seats'], 'Unexpected "seats". See --help.\n'],
  ])('could not check, and says so, with %j', async (args, sentence) => {
    expect(await doctor(args)).toEqual({ code: 2, output: sentence, stderr: sentence });
  });

  it('knows the extensions that the migrations install', async () => {
    const rows = await database.sql<{ name: string }>(
      `SELECT extname AS name FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1`,
    );
    expect(EXTENSIONS).toEqual(rows.map(({ name }) => name));
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
        advice: 'npm run migration:run',
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

describe('of seats', () => {
  let api: TestApi;
  let user: { id: number };
  beforeAll(async () => {
    api = await startTestApi({ DATABASE_URL: database.url, MAX_HOLDS_PER_USER_EVENT: '0' });
    user = await api.create.user();
  });
  afterAll(() => api.stop());

  /** An event with a hold and a sale. */
  async function booked(): Promise<number> {
    const { id } = await api.create.event();
    const [, { id: ticket }] = [
      await api.create.ticket({ user_id: user.id, event_id: id }),
      await api.create.ticket({ user_id: user.id, event_id: id }),
    ];
    expect(await api.client.post(`/tickets/${ticket}/pay`)).toMatchObject({ status: 200 });
    return id;
  }

  const inventory = () => api.sql('SELECT * FROM inventory ORDER BY event_id');

  it('finds every fault, and repairs those that are in the counters, and no others', async () => {
    const [sound, held, sold, oversold, unsold] = [
      await booked(),
      await booked(),
      await booked(),
      await booked(),
      (await api.create.event()).id as number,
    ];
    const before = await inventory();
    await api.sql('UPDATE inventory SET held = 5 WHERE event_id = $1', [held]);
    await api.sql('UPDATE inventory SET sold = 0 WHERE event_id = $1', [sold]);
    await api.sql('UPDATE inventory SET capacity = 1, held = 0 WHERE event_id = $1', [oversold]);
    await api.sql('DELETE FROM inventory WHERE event_id = $1', [unsold]);

    const faults = [
      `event ${held} has held = 5 and 1 reserved ticket`,
      `event ${sold} has sold = 0 and 1 paid ticket`,
      `event ${oversold} is oversold, with 2 tickets for 1 seat, has held = 0 and 1 reserved ticket`,
      `event ${unsold} has no row in inventory: nobody can book it`,
    ];
    const found = await doctor();
    expect(found.code).toBe(1);
    expect(found.output).toMatch(/^WRONG {5}seats +4 of \d+ events are not in order$/m);
    expect(found.output.match(/(?<=^ +- ).+$/gm)).toEqual(faults);

    const { code, output } = await doctor(['--fix', '--json']);
    const { status, checks } = JSON.parse(output) as Pick<Report, 'checks'> & { status: string };
    expect({ code, status, seats: checks.find(({ check }) => check === 'seats') }).toMatchObject({
      code: 1,
      status: 'wrong',
      seats: {
        check: 'seats',
        status: 'wrong',
        message: expect.stringMatching(/^2 of \d+ events are not in order, 2 repaired$/),
        advice: expect.stringMatching(/^(?!.*Set the counters).*INSERT INTO inventory.*raise the capacity/),
        details: [
          { id: held, repaired: true, message: `event ${held}: held 5 → 1, sold 1 → 1` },
          {
            id: sold,
            held: 1,
            sold: 0,
            reserved: 1,
            paid: 1,
            repaired: true,
            message: `event ${sold}: held 1 → 1, sold 0 → 1`,
          },
          { repaired: false, message: faults[2] },
          { repaired: false, message: faults[3] },
        ],
      },
    });

    await api.sql('UPDATE inventory SET capacity = 10 WHERE event_id = $1', [oversold]);
    await api.sql('INSERT INTO inventory (event_id, capacity) VALUES ($1, 10)', [unsold]);
    expect(await findings({}, true)).toMatchObject({
      code: 0,
      seats: { details: [{ message: `event ${oversold}: held 0 → 1, sold 1 → 1` }] },
    });
    expect(await inventory()).toEqual(before);
    expect(before.map((row) => Number(row.event_id))).toContain(sound);
  });

  it('raises no false alarm beside a rush', async () => {
    const event = await api.create.event({ total_tickets: 1_000_000 });
    let isOver = false;
    const rush = Array.from({ length: 8 }, async (_, i) => {
      while (!isOver) {
        const { id } = await api.create.ticket({ user_id: user.id, event_id: event.id });
        if (i % 3 > 0) await api.client.post(`/tickets/${id}/${i % 3 === 1 ? 'pay' : 'cancel'}`);
      }
    });
    const alarms: unknown[] = [];
    try {
      for (let i = 0; i < 3; i++) {
        const { seats } = await findings();
        if (seats?.status !== 'ok') alarms.push(seats);
      }
    } finally {
      isOver = true;
      await Promise.all(rush);
    }
    expect(alarms).toEqual([]);
  });

  it('repairs beside a booking, which neither waits for the other in vain nor is forgotten', async () => {
    const event = await booked();
    await api.sql('UPDATE inventory SET held = held + 3, sold = sold + 2 WHERE event_id = $1', [event]);
    const booking = await database.begin(
      `WITH ticket AS (
        INSERT INTO tickets (user_id, event_id, status, created_at, expires_at)
        VALUES ($1, $2, 'reserved', now(), now() + interval '1 hour')
      )
      UPDATE inventory SET held = held + 1 WHERE event_id = $2`,
      [user.id, event],
    );
    const repair = findings({}, true);
    await database.untilBlocked();
    await booking.commit();
    expect((await repair).seats).toMatchObject({
      status: 'ok',
      details: [{ message: `event ${event}: held 4 → 2, sold 3 → 1` }],
    });
    expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]);
  });

  describe('of many tickets', () => {
    const TICKETS = 300_000;
    let crowd: TestDatabase;
    let source: TixxetyDataSource;
    let event: number;

    beforeAll(async () => {
      crowd = await createDatabase();
      await crowd.sql(`INSERT INTO users (name, email) VALUES ('Ada', 'ada@example.com')`);
      const [row] = await crowd.sql<{ id: string }>(
        `WITH event AS (
          INSERT INTO events (title, start_time, end_time) VALUES ('Concert', '2099-01-01', '2099-01-01') RETURNING id
        ), counter AS (
          INSERT INTO inventory (event_id, capacity, held) SELECT id, 10000000, ${TICKETS} + 5 FROM event
        ) SELECT id FROM event`,
      );
      event = Number(row?.id);
      await crowd.sql(
        `INSERT INTO tickets (user_id, event_id, status, created_at, expires_at)
        SELECT (SELECT max(id) FROM users), $1, 'reserved', now(), now() + interval '1 day' FROM generate_series(1, ${TICKETS})`,
        [event],
      );
      source = await new TixxetyDataSource(readSettings({ DATABASE_URL: crowd.url }), 'tool').initialize();
    });
    afterAll(async () => {
      await source.destroy();
      await crowd.drop();
    });

    it('counts a range at a time, each within the limit of a statement, and leaves the counters to bookings', async () => {
      const statementMs = 10;
      const everything = crowd.sql(
        `SET statement_timeout = ${statementMs}; SELECT count(paid_at) FROM tickets`,
      );
      await expect(everything).rejects.toThrow(/statement timeout/);

      let bookings = 0;
      let booking: Promise<unknown> = Promise.resolve();
      const book = () => {
        bookings++;
        const text = `SET lock_timeout = 200; SELECT FROM inventory WHERE event_id = ${event} FOR UPDATE`;
        booking = booking.then(() => crowd.sql(text));
      };
      const { status, details } = await checkSeats(source, {
        fix: true,
        statementMs,
        stopped: new AbortController().signal,
        progress: (_, work) => work(book),
      });
      expect(bookings).toBeGreaterThan(1);
      await booking;
      expect({ status, details }).toMatchObject({
        status: 'ok',
        details: [{ message: `event ${event}: held ${TICKETS + 5} → ${TICKETS}, sold 0 → 0` }],
      });
      expect(await crowd.sql(INVENTORY_MISMATCHES)).toEqual([]);
    });
  });

  it('finds holds that nobody ends', async () => {
    await api.app.close();
    await database.sql(
      `UPDATE tickets SET expires_at = now() - interval '1 hour' WHERE id = (SELECT min(id) FROM tickets WHERE status = 'reserved')`,
    );
    const [alone, withRedis] = await Promise.all([
      findings(),
      findings({ REDIS_URL: services.addresses.redis ?? 'redis://127.0.0.1:1' }),
    ]);
    const holds = {
      status: 'wrong',
      message: expect.stringMatching(/^1 hold overdue by up to 36\d\d s: nobody releases them$/),
    };
    expect(alone).toMatchObject({
      code: 1,
      holds: { ...holds, advice: expect.stringMatching(/^Start the API/) },
    });
    expect(withRedis).toMatchObject({
      holds: { ...holds, advice: expect.stringMatching(/^Start a worker/) },
    });
  });
});

describe('of the outbox', () => {
  it('finds messages that no relay takes, and dead letters with their reason', async () => {
    const [{ id }] = await database.sql(
      `INSERT INTO outbox (topic, payload, due_at) VALUES ('test.topic', '{}', now() - interval '1 hour') RETURNING id`,
    );
    expect(await findings()).toMatchObject({
      code: 1,
      outbox: {
        status: 'wrong',
        message: '1 message of the outbox due for over a minute: no relay takes them',
      },
    });
    await database.sql(`UPDATE outbox SET is_dead = true, last_error = 'no such order' WHERE id = $1`, [id]);
    expect(await findings()).toMatchObject({
      code: 1,
      outbox: { status: 'wrong', message: '1 dead letter in the outbox (the latest: no such order)' },
    });
    await database.sql('DELETE FROM outbox WHERE id = $1', [id]);
  });
});
