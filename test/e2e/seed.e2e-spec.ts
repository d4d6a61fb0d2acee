import { haversineKm } from '../../src/events/haversine';
import { CITIES } from '../../scripts/seed/cities';
import { startTestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { runScript } from '../support/processes';
import { INVENTORY_MISMATCHES } from '../support/seats';

const made: TestDatabase[] = [];

/** A database of this suite with the schema of this build. */
async function database(): Promise<TestDatabase> {
  const fresh = await createDatabase();
  // The admin, with the id that the API would have given.
  await fresh.sql('UPDATE users SET id = DEFAULT');
  made.push(fresh);
  return fresh;
}

const seed = (args: string, { url }: TestDatabase, environment: Record<string, string> = {}) =>
  runScript('seed/main', args.split(' '), { DATABASE_URL: url, ...environment });

async function count(table: string, { sql }: TestDatabase): Promise<number> {
  // The admin is there from the start, and no obstacle.
  const rows = table === 'users' ? `users WHERE role <> 'admin'` : table;
  const [row] = await sql<{ n: string }>(`SELECT count(*) AS n FROM ${rows}`);
  return Number(row?.n);
}

/** What was invented, all but the tickets. */
async function digest({ sql }: TestDatabase): Promise<Record<'users' | 'events', string>> {
  const [row] = await sql<Record<'users' | 'events', string>>(`
    SELECT md5((SELECT string_agg(users::text, '|' ORDER BY id) FROM users)) AS users,
      md5((SELECT string_agg(events::text, '|' ORDER BY id) FROM events)
        || (SELECT string_agg(quotas::text, '|' ORDER BY id) FROM quotas)
        || (SELECT string_agg(concat(id, name, price, quota_ids), '|' ORDER BY id) FROM ticket_types)) AS events`);
  return row ?? { users: '', events: '' };
}

describe('npm run seed', () => {
  afterAll(() => Promise.all(made.map((each) => each.drop())));

  const SIZE = '--users 300 --events 1200 --tickets 5000';
  let invented: Record<'users' | 'events', string>;

  describe('fills a database', () => {
    let filled: TestDatabase;
    beforeAll(async () => {
      filled = await database();
      const { code, output } = await seed(SIZE, filled);
      expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('Done in') });
      invented = await digest(filled);
    });

    it('with as much as was asked for', async () => {
      expect(await count('users', filled)).toBe(300);
      expect(await count('events', filled)).toBe(1_200);
      expect(await count(`quotas WHERE kind = 'event'`, filled)).toBe(1_200);
      expect(await count('tickets', filled)).toBe(5_000);
    });

    it('with counters that agree with the tickets', async () => {
      const [totals] = await filled.sql(
        'SELECT sum(held) AS held, sum(sold) AS sold FROM quotas WHERE kind = $1',
        ['event'],
      );
      expect(Number(totals.sold)).toBeGreaterThan(3_000);
      expect(Number(totals.held)).toBeGreaterThan(0);
      expect(await filled.sql(INVENTORY_MISMATCHES)).toEqual([]);
    });

    it('with types, prices in several currencies, codes and orders of several', async () => {
      const [made] = await filled.sql(`
        SELECT (SELECT count(DISTINCT currency)::int FROM events) AS currencies,
          (SELECT count(*)::int FROM quotas WHERE kind = 'type') AS "ownQuotas",
          (SELECT count(*)::int FROM codes) AS codes,
          (SELECT count(*)::int FROM orders WHERE places > 1) AS "ofSeveral",
          (SELECT count(*)::int FROM orders WHERE cardinality(type_ids) > 1) AS "ofTwoTypes",
          (SELECT count(*)::int FROM orders WHERE discount > 0) AS reduced`);
      for (const [what, number] of Object.entries<number>(made))
        expect({ what, isEnough: number > 5 }).toEqual({ what, isEnough: true });
    });

    it('with orders that cost what their tickets do, and were paid so', async () => {
      const wrong = await filled.sql(`
        SELECT orders.id FROM orders
        WHERE total <> (SELECT sum(price) FROM tickets WHERE order_id = orders.id)
          OR amount_paid <> coalesce((SELECT sum(amount) FROM payments WHERE order_id = orders.id), 0)
          OR total + discount <> coalesce((SELECT sum(price * number) FROM unnest(unit_prices, numbers) AS item (price, number)), 0)`);
      expect(wrong).toEqual([]);
    });

    it('with places in and around real cities', async () => {
      const places = await filled.sql<{ latitude: number; longitude: number }>(`
        SELECT venue_latitude AS latitude, venue_longitude AS longitude FROM events WHERE venue_latitude IS NOT NULL
        UNION ALL
        SELECT location_latitude, location_longitude FROM users WHERE location_latitude IS NOT NULL`);
      expect(places.length).toBeGreaterThan(1_300);
      const farthest = places.map((place) => Math.min(...CITIES.map((city) => haversineKm(place, city))));
      expect(Math.max(...farthest)).toBeLessThan(80);
    });

    it('so that the API finds what is near and sells it', async () => {
      const api = await startTestApi({ DATABASE_URL: filled.url });
      try {
        const [londoner] = await filled.sql<{ id: string }>(
          `SELECT id FROM users WHERE location_address LIKE '%, London, %'`,
        );
        const { body } = await api.client.get(`/users/for-you/?user_id=${londoner?.id}&max_distance_km=60`);
        const events = body as { id: number; tickets_available: number }[];
        // One that can be booked without saying which type.
        const simple = await filled.sql<{ id: string }>(
          'SELECT event_id AS id FROM ticket_types WHERE NOT is_hidden GROUP BY event_id HAVING count(*) = 1',
        );
        const isSimple = new Set(simple.map(({ id }) => Number(id)));
        const free = events.find((event) => event.tickets_available > 0 && isSimple.has(event.id));
        await api.create.ticket({ user_id: Number(londoner?.id), event_id: free?.id ?? 0 });
      } finally {
        await api.stop();
      }
    });

    it('but not one with users or events in it, nor in production, unless forced, and then without taking an e-mail twice', async () => {
      expect(await seed('--users 10 --events 10', filled)).toMatchObject({
        code: 1,
        output: 'The database has users or events already; --force adds to them.\n',
      });
      const production = { NODE_ENV: 'production' };
      expect(await seed('--users 10 --events 10', filled, production)).toMatchObject({
        code: 1,
        output: expect.stringMatching(/^NODE_ENV is production[^\n]*\n$/),
      });
      expect(await count('users', filled)).toBe(300);
      expect(await seed('--users 10 --events 10 --force', filled, production)).toMatchObject({ code: 0 });
      expect(await count('users', filled)).toBe(310);
      expect(await count('events', filled)).toBe(1_210);
    });
  });

  it('makes the same data of the same seed', async () => {
    const fresh = await database();
    await seed(SIZE, fresh);
    const again = await digest(fresh);
    expect(again.users).toMatch(/^[0-9a-f]{32}$/);
    expect(again.events).toMatch(/^[0-9a-f]{32}$/);
    expect(again).toEqual(invented);
  });

  it('makes other data of another seed, sells no more tickets than there are places, and says so', async () => {
    const small = await database();
    const { code, output } = await seed('--users 300 --events 1 --tickets 1000000 --seed 8', small);
    expect(code).toBe(0);
    const { users } = await digest(small);
    expect(users).toMatch(/^[0-9a-f]{32}$/);
    expect(users).not.toBe(invented.users);
    const [{ places }] = (await small.sql(
      `SELECT sum(capacity)::int AS places FROM quotas WHERE kind = 'event'`,
    )) as [{ places: number }];
    expect(output).toContain(`There are places for ${places} tickets only.`);
    expect(await count('tickets', small)).toBe(places);
  });

  it('leaves nothing behind when it is stopped', async () => {
    const stopped = await database();
    const { code, output } = await runScript(
      'seed/main',
      ['--users', '100', '--events', '5000000'],
      { DATABASE_URL: stopped.url },
      { onStart: (child) => child.stdout?.once('data', () => child.kill('SIGINT')) },
    );
    expect(output).toContain('Stopped: nothing was written.');
    expect(code).toBe(1);
    expect(await count('users', stopped)).toBe(0);
    expect(await count('events', stopped)).toBe(0);
  });

  it.each([
    ['--events 10000001', '--events must be a whole number from 0 to 10000000.'],
    ['--users -5', '--users must be a whole number from 0 to 10000000.'],
    ['--users many', '--users must be a whole number from 0 to 10000000.'],
    ['--users 5 --users 6', "Option '--users' is given twice. See --help."],
    ['--tickets 5 --users 0', '--tickets needs --users and --events above 0.'],
    ['--event 5', "Unknown option '--event'. See --help."],
  ])('tells in one sentence what is wrong with %s', async (args, sentence) => {
    // No database is asked: there is none at this address.
    const DATABASE_URL = 'postgres://127.0.0.1:1/none';
    expect(await runScript('seed/main', args.split(' '), { DATABASE_URL })).toMatchObject({
      code: 1,
      output: `${sentence}\n`,
    });
  });
});
