import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { TracedStatement } from '../../src/telemetry/channels';
import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, runSql, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { expectProblem } from '../support/problems';
import { runMain } from '../support/processes';
import { services } from '../support/services';

const STATEMENTS = 'tracing:tixxety:statement:start';
const CROWD = 40;
const POOL_SIZE = 10;

describe('with a PostgreSQL that is read-only', () => {
  let database: TestDatabase;
  let api: TestApi;
  let event: { id: number };
  let user: { id: number };

  /** What a session is told when it begins; those there are do not notice. */
  const setReadOnly = (value: 'on' | 'off') =>
    runSql(
      services.addresses.server,
      `ALTER DATABASE ${database.name} SET default_transaction_read_only = ${value}`,
    );
  const reserve = () => api.client.post('/tickets/', { user_id: user.id, event_id: event.id });

  beforeAll(async () => {
    database = await createDatabase();
    api = await startTestApi({ DATABASE_URL: database.url, MAX_HOLDS_PER_USER_EVENT: '0' });
    [user, event] = [await api.create.user(), await api.create.event({ total_tickets: 1_000 })];
    await setReadOnly('on');
    await database.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
  });
  afterAll(async () => {
    await api.stop();
    await setReadOnly('off');
    await database.drop();
  });

  it('is not ready and says why', async () => {
    await eventually(async () =>
      expect(await api.client.get('/health/ready')).toMatchObject({
        status: 503,
        body: { details: { database: { status: 'down', message: 'read-only' } } },
      }),
    );
    expect(await api.client.get('/health/live')).toMatchObject({ status: 200 });
  });

  it('goes on reading, and answers 503 with Retry-After to all who write', async () => {
    // On a busy machine, connecting anew may take longer than a list may.
    await eventually(async () =>
      expect(await api.client.get(`/events/${event.id}`)).toMatchObject({ status: 200 }),
    );
    const answers = await Promise.all([
      reserve(),
      api.client.post('/users/', { name: 'Ada', email: 'ada@example.com' }),
      api.client.post('/events/', {
        title: 'Later',
        start_time: '2099-01-01T00:00:00Z',
        end_time: '2099-01-01T00:00:00Z',
        total_tickets: 1,
        venue: {},
      }),
      api.client.post(
        '/tickets/',
        { user_id: user.id, event_id: event.id },
        { 'Idempotency-Key': 'read-only' },
      ),
    ]);
    for (const answer of answers) {
      expectProblem(answer, 503, 'service_unavailable');
      expect(answer.headers.get('retry-after')).toBe('1');
    }
  });

  it('refuses a batch as a whole rather than one by one', async () => {
    const run: string[] = [];
    const note = (message: unknown) => void run.push((message as TracedStatement).name ?? '');
    subscribe(STATEMENTS, note);
    const answers = await Promise.all(Array.from({ length: CROWD }, reserve));
    unsubscribe(STATEMENTS, note);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect(run.length).toBeGreaterThan(0);
    expect(run.length).toBeLessThan(CROWD / 2);
  });

  it('does not start, in one sentence', async () => {
    const { code, stderr } = await runMain([], { DATABASE_URL: database.url });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^DATABASE_URL names a PostgreSQL that takes no writes: [^\n]+\.\n$/);
  });

  // As after a failover: the connections there are would lead to the old primary for as long as they are kept.
  it('books again from the first connection that may write, whatever the others were made for', async () => {
    await Promise.all(Array.from({ length: CROWD }, () => api.client.get(`/users/${user.id}/tickets`)));
    await setReadOnly('off');
    const statuses: number[] = [];
    for (let i = 0; i < POOL_SIZE; i++) statuses.push((await reserve()).status);
    expect(statuses.filter((status) => status !== 201).length).toBeLessThanOrEqual(1);
    expect(await api.client.get('/health/ready')).toMatchObject({ status: 200 });
  });
});
