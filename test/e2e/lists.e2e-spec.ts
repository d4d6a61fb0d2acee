import { Client } from 'pg';
import { startTestApi, type TestApi } from '../support/api';
import type { Answer } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { expectProblem } from '../support/problems';

/** More than wait in a process. */
const CROWD = 250;

describe('lists that take too long', () => {
  let database: TestDatabase;
  let api: TestApi;

  beforeAll(async () => {
    database = await createDatabase();
    api = await startTestApi({ DATABASE_URL: database.url });
  });
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  it('are given up, refuse what is beyond their number, and keep no booking waiting', async () => {
    const [user, event] = await Promise.all([api.create.user(), api.create.event()]);
    const lock = await database.begin('LOCK TABLE sessions');
    const answers: Answer[] = [];
    const lists = Array.from({ length: CROWD }, async () => {
      answers.push(await api.client.get(`/users/${user.id}/sessions`));
    });
    await database.untilBlocked();
    const { status } = await api.client.post('/tickets', { user_id: user.id, event_id: event.id });
    expect(status).toBe(201);
    // Those that were not refused at once still waited.
    expect(answers.length).toBeLessThan(CROWD);
    await lock.commit();
    await Promise.all(lists);

    const refused = answers.filter((answer) => answer.status !== 200);
    for (const answer of refused) {
      // On a busy machine some are given up by the deadline of all requests first.
      expectProblem(answer, 503, answer.body.code === 'overloaded' ? 'overloaded' : 'service_unavailable');
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]/);
    }
    expect(refused.length).toBeGreaterThanOrEqual(CROWD - 203);
    expect((await api.client.get(`/users/${user.id}/sessions`)).status).toBe(200);
  });

  it('are given up though nobody else waits', async () => {
    const user = await api.create.user();
    const lock = await database.begin('LOCK TABLE sessions');
    expectProblem(await api.client.get(`/users/${user.id}/sessions`), 503, 'overloaded');
    await lock.commit();
  });
});

const BREAK_OFF = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`;

describe.each(['none', 'transaction'])('behind the pooler %s, a list whose connection breaks', (pooler) => {
  let database: TestDatabase;
  let api: TestApi;
  let client: Client;

  beforeAll(async () => {
    database = await createDatabase();
    api = await startTestApi({ DATABASE_URL: database.url, DATABASE_POOLER: pooler });
    client = new Client({ connectionString: database.url });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await api.stop();
    await database.drop();
  });

  it('fails alone, and the process goes on', async () => {
    const user = await api.create.user();
    const lock = await database.begin('LOCK TABLE sessions');
    const list = () => api.client.get(`/users/${user.id}/sessions`);
    // A list is given up after 300 ms, so that on a busy machine some end before they are broken off.
    await eventually(async () => {
      const asked = { isOver: false };
      const answer = list().finally(() => (asked.isOver = true));
      let broken = 0;
      while (!asked.isOver && broken === 0) broken = (await client.query(BREAK_OFF)).rowCount ?? 0;
      await answer;
      expect(broken).toBe(1);
    });
    await lock.commit();
    await eventually(async () => expect((await list()).status).toBe(200));
  });
});
