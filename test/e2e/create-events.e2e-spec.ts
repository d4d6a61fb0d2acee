import { startTestApi, type TestApi } from '../support/api';
import type { Answer, Client } from '../support/client';
import { createDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { eventBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { ownRedis } from '../support/redis';
import { tokenOf } from '../support/tokens';
import { describeWithRedis } from '../support/with-redis';

const LIMIT = 3;

const statuses = (answers: Answer[]) => answers.map(({ status }) => status).sort();
const eventsOf = async (api: TestApi) => (await api.sql('SELECT id FROM events')).length;

/** The quota `events`, as the headers tell it. */
function quotaOf({ headers }: Answer) {
  const [, most, length] = /"events";q=(\d+);w=(\d+)/.exec(headers.get('ratelimit-policy') ?? '') ?? [];
  const [, left, seconds] = /"events";r=(\d+);t=(\d+)/.exec(headers.get('ratelimit') ?? '') ?? [];
  return [most, length, left, seconds].map((digits) => (digits === undefined ? undefined : Number(digits)));
}

describe('CREATE_EVENTS', () => {
  it.each([
    ['anyone', 201],
    ['organizers', 403],
  ])('set to %s answers a user %i, and an admin 201', async (setting, status) => {
    const api = await startTestApi({ CREATE_EVENTS: setting });
    const user = api.client.as(tokenOf((await api.create.user()).id));
    const answer = await user.post('/events/', eventBody(), { 'Idempotency-Key': 'one' });
    expect(answer.status).toBe(status);
    if (status === 403) {
      expectProblem(answer, 403, 'forbidden', { detail: 'Only an admin of this server creates events' });
      expect(await eventsOf(api)).toBe(0);
    }
    expect((await api.client.post('/events/', eventBody())).status).toBe(201);
    await api.stop();
  });
});

describe('MAX_EVENTS_PER_USER_HOUR', () => {
  let api: TestApi;
  let ada: Client;
  let bob: Client;

  const start = async (environment: Record<string, string>) => {
    api = await startTestApi(environment);
    const users = [await api.create.user(), await api.create.user()];
    [ada, bob] = users.map(({ id }) => api.client.as(tokenOf(id))) as [Client, Client];
  };
  afterEach(() => api.stop());

  const create = (client: Client, headers = {}) => client.post('/events/', eventBody(), headers);

  it('lets an account create so many events, tells how many are left, and refuses the next', async () => {
    await start({ MAX_EVENTS_PER_USER_HOUR: String(LIMIT), RATE_LIMIT_PER_MINUTE: '100' });
    for (let left = LIMIT - 1; left >= 0; left--) {
      const answer = await create(ada);
      expect(answer.status).toBe(201);
      expect(quotaOf(answer)).toEqual([LIMIT, 3_600, left, expect.any(Number)]);
      expect(answer.headers.get('ratelimit-policy')).toContain('"writing";q=100;w=60');
    }
    const refused = await create(ada);
    expectProblem(refused, 429, 'event_limit_reached');
    const [, , left, seconds] = quotaOf(refused);
    expect(left).toBe(0);
    expect(refused.headers.get('retry-after')).toBe(String(seconds));
    expect(seconds).toBeGreaterThan(60);
    expect(await eventsOf(api)).toBe(LIMIT);
    expect((await create(bob)).status).toBe(201);
    expect(statuses(await Promise.all([1, 2, 3, 4].map(() => create(api.client))))).toEqual([
      201, 201, 201, 201,
    ]);
  });

  it('counts nothing that creates nothing: invalid input, a repeated key', async () => {
    await start({ MAX_EVENTS_PER_USER_HOUR: String(LIMIT) });
    for (let i = 0; i < LIMIT + 1; i++) expect((await ada.post('/events/', {})).status).toBe(422);
    const first = await create(ada, { 'Idempotency-Key': 'one' });
    for (let i = 0; i < LIMIT + 1; i++) {
      const again = await create(ada, { 'Idempotency-Key': 'one' });
      expect({ ...again, headers: again.headers.get('idempotent-replayed') }).toEqual({
        ...first,
        headers: 'true',
      });
    }
    for (let i = 1; i < LIMIT; i++) expect((await create(ada)).status).toBe(201);
    expect((await create(ada)).status).toBe(429);
    // A lost answer is not lost for good: beyond the limit, too, the first one comes again.
    expect((await create(ada, { 'Idempotency-Key': 'one' })).body).toEqual(first.body);
    expect(await eventsOf(api)).toBe(LIMIT);
  });

  it('lets no more pass at once', async () => {
    await start({ MAX_EVENTS_PER_USER_HOUR: String(LIMIT) });
    const answers = await Promise.all(Array.from({ length: 4 * LIMIT }, () => create(ada)));
    expect(statuses(answers)).toEqual([...Array(LIMIT).fill(201), ...Array(3 * LIMIT).fill(429)]);
  });

  it('is none at 0', async () => {
    await start({ MAX_EVENTS_PER_USER_HOUR: '0' });
    const answers = await Promise.all(Array.from({ length: 25 }, () => create(ada)));
    expect(statuses(answers)).toEqual(Array(25).fill(201));
    expect(quotaOf(answers[0] as Answer)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describeWithRedis('MAX_EVENTS_PER_USER_HOUR, with Redis', () => {
  it('is counted by all processes together', async () => {
    const [redis, database] = await Promise.all([ownRedis(), createDatabase()]);
    const environment = {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      MAX_EVENTS_PER_USER_HOUR: String(LIMIT),
    };
    const apis = await Promise.all([startTestApi(environment), startTestApi(environment)]);
    await eventually(async () => {
      for (const { client } of apis)
        expect((await client.get('/health/ready')).body.info.redis.status).toBe('up');
    });
    const { create } = apis[0];
    const token = tokenOf((await create.user()).id);
    const answers = await Promise.all(
      Array.from({ length: 4 * LIMIT }, (_, i) =>
        (apis[i % 2] as TestApi).client.as(token).post('/events/', eventBody()),
      ),
    );
    expect(statuses(answers)).toEqual([...Array(LIMIT).fill(201), ...Array(3 * LIMIT).fill(429)]);
    await Promise.all(apis.map((api) => api.stop()));
    await Promise.all([redis.stop(), database.drop()]);
  });
});
