import { secretFingerprint } from '../../src/auth/secret-fingerprint';
import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { TEST_SECRET as OLD } from '../support/tokens';

const NEW = 'what-the-tests-sign-with-after-the-rotation';
const SECRETS = `${OLD},${NEW}`.split(',');

describe('rotating JWT_SECRET', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  /** What the same request does that is sent to two processes, and whether either refuses the other's tokens. */
  async function between(before: string, after: string) {
    const [a, b] = (await Promise.all(
      [before, after].map((JWT_SECRET) => startTestApi({ DATABASE_URL: database.url, JWT_SECRET })),
    )) as [TestApi, TestApi];
    const signUp = async (api: TestApi, email: string) =>
      (await api.client.as('').post('/users/', { name: 'Ada', email })).body as {
        id: number;
        access_token: string;
      };
    const name = `${before.length}.${after.length}.${before.startsWith(OLD)}.${after.startsWith(OLD)}`;
    const [ofA, ofB] = [await signUp(a, `a.${name}@example.com`), await signUp(b, `b.${name}@example.com`)];
    const [token] = [ofA.access_token];
    const accepted = await Promise.all([
      a.client.as(ofB.access_token).get(`/users/${ofB.id}`),
      b.client.as(token).get(`/users/${ofA.id}`),
    ]);
    const event = (
      await a.client.as(token).post('/events/', {
        title: 'Rotation',
        start_time: '2099-01-01T00:00:00Z',
        end_time: '2099-01-01T00:00:00Z',
        total_tickets: 10,
        venue: {},
      })
    ).body as { id: number };
    const reserve = (api: TestApi, key: string) =>
      api.client.as(token).post('/tickets/', { event_id: event.id }, { 'Idempotency-Key': key });
    for (const [first, second, key] of [
      [a, b, 'first-at-A'],
      [b, a, 'first-at-B'],
    ] as const) {
      await reserve(first, key);
      await reserve(second, key);
    }
    const [row] = await database.sql<{ tickets: number }>(
      'SELECT count(*)::int AS tickets FROM ticket_states WHERE event_id = $1',
      [event.id],
    );
    await Promise.all([a.stop(), b.stop()]);
    return { accepted: accepted.map(({ status }) => status), tickets: row?.tickets };
  }

  it.each([
    [OLD, `${OLD},${NEW}`],
    [`${OLD},${NEW}`, `${NEW},${OLD}`],
    [`${NEW},${OLD}`, NEW],
  ])('in the order that is documented books once and refuses nobody: %s, then %s', async (before, after) => {
    const { accepted, tickets } = await between(before, after);
    // After the last step what the old secret signed would be refused, but none of the step before signs with it.
    expect({ accepted, tickets }).toEqual({ accepted: [200, 200], tickets: 2 });
  });

  // The control: what the order is there for.
  it('with the new one in front at once books twice, and refuses tokens', async () => {
    const { accepted, tickets } = await between(OLD, `${NEW},${OLD}`);
    expect(accepted).toContain(401);
    expect(tickets).toBeGreaterThan(2);
  });

  it('can be watched: each process shows which secrets it knows, in order, and not the secrets', async () => {
    const api = await startTestApi({ DATABASE_URL: database.url, JWT_SECRET: SECRETS.join() });
    const { body } = await api.client.get('/health/ready');
    expect(body.details.secrets).toEqual({ status: 'up', fingerprints: SECRETS.map(secretFingerprint) });
    for (const fingerprint of SECRETS.map(secretFingerprint)) expect(fingerprint).toMatch(/^[0-9a-f]{8}$/);
    expect(new Set(SECRETS.map(secretFingerprint)).size).toBe(2);
    for (const secret of SECRETS) expect(JSON.stringify(body)).not.toContain(secret);
    await api.stop();
  });
});
