import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { readSettings } from '../../src/config/settings';
import { openDatabase } from '../../src/database/open-database';
import { TixxetyDataSource } from '../../src/database/tixxety-data-source';
import { startTestApi, type TestApi } from '../support/api';
import { createBareDatabase, createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { userBody } from '../support/factories';
import { hasPgBouncer, POOL_SIZE, startPgBouncer, type RunningPgBouncer } from '../support/pgbouncer';
import { expectProblem } from '../support/problems';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { services } from '../support/services';

if (!hasPgBouncer) {
  const message = 'NO PGBOUNCER: its suite is SKIPPED. Install pgbouncer.';
  if (process.env.CI === 'true') throw new Error(message);
  console.warn(message);
}

const SESSION_PARAMETERS = [
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'options',
];

/** The locks of one database. */
const LOCKS_HERE = `
  SELECT pg_locks.* FROM pg_locks JOIN pg_database ON pg_database.oid = database WHERE datname = current_database()`;
const LOCKS = `${LOCKS_HERE} AND locktype = 'advisory'`;

(hasPgBouncer ? describe : describe.skip)('behind PgBouncer in transaction mode', () => {
  let pgbouncer: RunningPgBouncer;
  let database: TestDatabase;
  let environment: Record<string, string>;

  beforeAll(async () => {
    pgbouncer = await startPgBouncer(services.addresses.server);
    database = await createDatabase();
    environment = { DATABASE_URL: pgbouncer.through(database.url), DATABASE_POOLER: 'transaction' };
  });
  afterAll(async () => {
    await pgbouncer.stop();
    await database.drop();
  });

  describe('two APIs', () => {
    let apis: TestApi[] = [];

    beforeAll(async () => {
      apis = await Promise.all([startTestApi(environment), startTestApi(environment)]);
    });
    afterAll(() => Promise.all(apis.map((api) => api.stop())));

    const api = (i: number) => apis[i % apis.length] as TestApi;

    it('walk the whole journey', async () => {
      const venue = { address: 'Alexandra Palace', latitude: 51.5942, longitude: -0.1306 };
      const ada = await api(0).create.user({ location_latitude: 51.5072, location_longitude: -0.1276 });
      const event = await api(1).create.event({ total_tickets: 2, venue });
      expectProblem(
        await api(1).client.post('/users/', { ...userBody(), email: ada.email }),
        409,
        'email_taken',
      );

      const [paid, left] = [await reserve(0), await reserve(1)];
      expectProblem(await order(0), 409, 'event_sold_out');
      expect((await api(1).client.post(`/tickets/${paid.id}/pay`)).body.status).toBe('paid');
      expectProblem(await api(0).client.post(`/tickets/${paid.id}/pay`), 409, 'ticket_not_payable');

      await database.sql(
        'UPDATE orders SET expires_at = now() WHERE id = (SELECT order_id FROM tickets WHERE id = $1)',
        [left.id],
      );
      expectProblem(await api(0).client.post(`/tickets/${left.id}/pay`), 409, 'ticket_not_payable');
      await eventually(async () =>
        expect(await database.sql('SELECT status FROM ticket_states WHERE id = $1', [left.id])).toEqual([
          { status: 'expired' },
        ]),
      );
      const cancelled = await reserve(1);
      expect((await api(0).client.post(`/tickets/${cancelled.id}/cancel`)).body.status).toBe('cancelled');

      const ids = ({ body }: { body: { id: number }[] }) => body.map(({ id }) => id);
      expect(ids(await api(1).client.get(`/users/${ada.id}/tickets`))).toEqual([
        cancelled.id,
        left.id,
        paid.id,
      ]);
      for (const path of [
        `/users/for-you/?user_id=${ada.id}`,
        '/events/?q=analytic',
        '/events/?available=true',
      ]) {
        expect(ids(await api(0).client.get(path))).toEqual([event.id]);
      }
      expect((await api(1).client.get(`/events/${event.id}`)).body).toMatchObject({
        tickets_sold: 1,
        tickets_held: 0,
      });
      expect((await api(0).client.get('/health/ready')).status).toBe(200);

      function order(i: number) {
        return api(i).client.post('/tickets/', { user_id: ada.id, event_id: event.id });
      }
      async function reserve(i: number) {
        const { status, body } = await order(i);
        expect(status).toBe(201);
        return body;
      }
    });

    it('sell exactly the seats there are, sharing a few sessions', async () => {
      const users = await Promise.all(Array.from({ length: 12 }, (_, i) => api(i).create.user()));
      const events = await Promise.all(
        Array.from({ length: 6 }, (_, i) => api(i).create.event({ total_tickets: 10 })),
      );
      const orders = Array.from({ length: 240 }, (_, i) =>
        api(i).client.post('/tickets/', {
          user_id: users[i % users.length].id,
          event_id: events[i % events.length].id,
        }),
      );
      const reading = Array.from({ length: 40 }, (_, i) => api(i).client.get('/events/'));
      const answers = await Promise.all(orders);
      expect(tally(answers)).toEqual({ 201: 60, 409: 180 });
      expect(tally(await Promise.all(reading))).toEqual({ 200: 40 });

      // Everyone pays and gives back at once: one of the two wins.
      const tickets = answers.filter(({ status }) => status === 201).map(({ body }) => body.id);
      const ends = await Promise.all(
        tickets.flatMap((id, i) => [
          api(i).client.post(`/tickets/${id}/pay`),
          api(i + 1).client.post(`/tickets/${id}/cancel`),
        ]),
      );
      expect(tally(ends)).toEqual({ 200: 60, 409: 60 });
      expect(await database.sql(INVENTORY_MISMATCHES)).toEqual([]);

      const [{ sessions }] = await database.sql(
        `SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'tixxety%'`,
        [database.name],
      );
      expect(sessions).toBeGreaterThan(1);
      expect(sessions).toBeLessThanOrEqual(POOL_SIZE);
    });

    it('do once what both are sent under one Idempotency-Key', async () => {
      const [user, event] = await Promise.all([api(0).create.user(), api(1).create.event()]);
      const key = { 'Idempotency-Key': randomUUID() };
      const order = (i: number) =>
        api(i).client.post('/tickets/', { user_id: user.id, event_id: event.id }, key);
      const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => order(i)));
      const later = [await order(0), await order(1)];
      expect(later.map(({ status, headers }) => [status, headers.get('idempotent-replayed')])).toEqual([
        [201, 'true'],
        [201, 'true'],
      ]);
      const done = [...answers, ...later].filter(({ status }) => status !== 409).map(({ body }) => body);
      expect(done).toEqual(done.map(() => later[0]?.body));
      expect(await database.sql('SELECT FROM ticket_states WHERE event_id = $1', [event.id])).toHaveLength(1);
      expect(await database.sql(LOCKS)).toEqual([]);
    });

    it('give up lists that take too long, also in PostgreSQL', async () => {
      const user = await api(0).create.user();
      const lock = await database.begin('LOCK TABLE sessions');
      expectProblem(await api(0).client.get(`/users/${user.id}/sessions`), 503, 'overloaded');
      expect(await database.sql(`${LOCKS_HERE} AND NOT granted`)).toEqual([]);
      await lock.commit();
      const lists = Array.from({ length: 20 }, () => api(0).client.get(`/users/${user.id}/sessions`));
      expect(tally(await Promise.all(lists))).toEqual({ 200: 20 });
    });

    it('say 503 while it is gone and go on when it is back', async () => {
      const port = Number(new URL(environment.DATABASE_URL ?? '').port);
      await pgbouncer.stop();
      const answer = await api(0).client.get('/events/');
      expectProblem(answer, 503, 'service_unavailable');
      expect(answer.headers.get('retry-after')).toBe('1');
      pgbouncer = await startPgBouncer(services.addresses.server, { port });
      await eventually(async () => expect((await api(0).client.get('/events/')).status).toBe(200));
    });
  });

  const open = (bare: TestDatabase) => {
    const settings = readSettings({ ...environment, DATABASE_URL: pgbouncer.through(bare.url) });
    return openDatabase({ settings, migrate: true, say: () => undefined }, 'api');
  };

  it('processes that migrate at once wait for each other and leave no lock behind', async () => {
    const bare = await createBareDatabase();
    const sources = await Promise.all([open(bare), open(bare), open(bare)]);
    expect(await sources[0].showMigrations()).toBe(false);
    expect(await bare.sql(LOCKS)).toEqual([]);
    await Promise.all(sources.map((source) => source.destroy()));
    await bare.drop();
  });

  it('one that has to migrate waits longer than a statement of an API may take', async () => {
    const bare = await createBareDatabase();
    const other = new Client({ connectionString: bare.url });
    await other.connect();
    await other.query('BEGIN');
    await other.query('SELECT pg_advisory_xact_lock(7499001)');
    const opening = open(bare);
    await sleep(3_500);
    const waiting = await bare.sql(`${LOCKS} AND NOT granted`);
    await other.end();
    const dataSource = await opening;
    expect(waiting).toHaveLength(1);
    await dataSource.destroy();
    await bare.drop();
  });

  it.each([
    ['refuses', []],
    ['swallows', SESSION_PARAMETERS],
  ])(
    'no process starts that was not told, whether it %s the settings of the session',
    async (_what, ignored) => {
      const other = await startPgBouncer(services.addresses.server, { ignored });
      const settings = readSettings({ DATABASE_URL: other.through(database.url) });
      const dataSource = new TixxetyDataSource(settings, 'api');
      await expect(dataSource.initialize()).rejects.toThrow(
        /^DATABASE_URL .+ set DATABASE_POOLER=transaction, or /,
      );
      expect(dataSource.isInitialized).toBe(false);
      await other.stop();
    },
  );
});

function tally(answers: { status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
