import Redis from 'ioredis';
import { startTestApi, type TestApi } from '../support/api';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy';
import type { Answer, Client } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { eventBody, userBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { ownRedis, type OwnRedis } from '../support/redis';
import { redisPrefixOf } from '../support/redis-prefix';
import { tokenOf } from '../support/tokens';
import { describeWithRedis } from '../support/with-redis';

const LIMIT = 5;

/** What the headers say of the quota that `policy` names. */
function quotaOf({ headers }: Answer, policy = ''): { most?: number; left?: number; seconds?: number } {
  const item = (name: string) =>
    (headers.get(name) ?? '').split(', ').find((part) => part.startsWith(`"${policy}";`)) ?? '';
  const [, most, window] = /;q=(\d+);w=(\d+)$/.exec(item('ratelimit-policy')) ?? [];
  const [, left, seconds] = /;r=(\d+);t=(\d+)$/.exec(item('ratelimit')) ?? [];
  if (window !== undefined) expect(window).toBe('60');
  return most === undefined ? {} : { most: Number(most), left: Number(left), seconds: Number(seconds) };
}

const statuses = (answers: Answer[]) => answers.map(({ status }) => status);

async function inTurn(times: number, send: (i: number) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let i = 0; i < times; i++) answers.push(await send(i));
  return answers;
}

describe('RATE_LIMIT_PER_MINUTE', () => {
  let api: TestApi;
  let ada: Client;
  let bob: Client;

  beforeEach(async () => {
    api = await startTestApi({ RATE_LIMIT_PER_MINUTE: String(LIMIT) });
    [ada, bob] = [api.client.as(tokenOf(101)), api.client.as(tokenOf(102))];
  });
  afterEach(() => api.stop());

  it('lets a caller make that many requests, says how many are left, and refuses the next', async () => {
    const answers = await inTurn(LIMIT, () => ada.get('/events'));
    expect(statuses(answers)).toEqual(Array(LIMIT).fill(200));
    expect(answers.map((answer) => quotaOf(answer, 'reading'))).toEqual(
      answers.map((_, i) => ({ most: LIMIT, left: LIMIT - 1 - i, seconds: expect.any(Number) })),
    );
    const refused = await ada.get('/events');
    expectProblem(refused, 429, 'rate_limited');
    const { left, seconds } = quotaOf(refused, 'reading');
    expect(left).toBe(0);
    expect(refused.headers.get('retry-after')).toBe(String(seconds));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
  });

  it('counts each caller, each address without a caller, and reading and writing by themselves', async () => {
    const { id } = await api.create.user();
    ada = api.client.as(tokenOf(id));
    await inTurn(LIMIT, () => ada.get('/events'));
    expect((await ada.get('/events/1')).status).toBe(429);
    expect((await bob.get('/events')).status).toBe(200);
    expect((await api.client.as('').get('/events')).status).toBe(200);
    const writing = await ada.post('/events/', eventBody());
    expect(writing.status).toBe(201);
    expect(quotaOf(writing, 'writing')).toMatchObject({ most: LIMIT, left: LIMIT - 1 });
  });

  it('counts all callers of an address together, with room for twenty', async () => {
    for (let userId = 1; userId <= 20; userId++) {
      const answers = await inTurn(LIMIT, () => api.client.as(tokenOf(userId)).get('/events'));
      expect(statuses(answers)).toEqual(Array(LIMIT).fill(200));
    }
    const refused = await api.client.as(tokenOf(21)).get('/events');
    expectProblem(refused, 429, 'rate_limited');
    expect(quotaOf(refused, 'reading')).toMatchObject({ most: LIMIT, left: LIMIT - 1 });
    expect(refused.headers.get('ratelimit')).not.toContain('together');
  });

  it('counts what does not validate, too', async () => {
    const answers = await inTurn(LIMIT + 1, () => ada.post('/events/', { surprise: true }));
    expect(statuses(answers)).toEqual([...Array(LIMIT).fill(422), 429]);
  });

  it('counts who is not let in, by address and whatever their tokens, and nobody else with them', async () => {
    for (const [policy, send] of [
      ['reading', (client: Client) => client.get('/users/1')],
      ['writing', (client: Client) => client.post('/events/', eventBody())],
    ] as const) {
      const answers = await inTurn(LIMIT + 1, (i) => send(api.client.as(i === 0 ? '' : `forged.token.${i}`)));
      expect(statuses(answers)).toEqual([...Array(LIMIT).fill(401), 429]);
      expect(answers.map((answer) => quotaOf(answer, policy).left)).toEqual([4, 3, 2, 1, 0, 0]);
      expectProblem(answers[0] as Answer, 401, 'unauthenticated');
      expectProblem(answers.at(-1) as Answer, 429, 'rate_limited');
    }
    expect(statuses(await inTurn(LIMIT + 1, () => ada.get('/events')))).toEqual([
      ...Array(LIMIT).fill(200),
      429,
    ]);
  });

  it('leaves health checks and the documentation alone', async () => {
    for (const path of ['/health/live', '/openapi.json', '/docs/errors']) {
      const answers = await inTurn(LIMIT + 1, () => api.client.as('').get(path));
      expect(statuses(answers)).toEqual(Array(LIMIT + 1).fill(200));
      expect(quotaOf(answers[0] as Answer)).toEqual({});
    }
  });

  it('is not to be got round by claiming to be forwarded for somebody else', async () => {
    const answers = await inTurn(LIMIT + 1, (i) =>
      api.client.as('').get('/', { 'X-Forwarded-For': `203.0.113.${i}`, Forwarded: `for=203.0.113.${i}` }),
    );
    expect(answers.at(-1)?.status).toBe(429);
  });
});

describe('credentials', () => {
  let api: TestApi;
  let nobody: Client;

  beforeEach(async () => {
    api = await startTestApi({ RATE_LIMIT_PER_MINUTE: '12', TRUST_PROXY: '1' });
    nobody = api.client.as('');
  });
  afterEach(() => api.stop());

  const from = (address: string) => ({ 'X-Forwarded-For': address });
  const signIn = (username: unknown, address: string) =>
    nobody.post('/auth/token', { grant_type: 'password', username, password: 'wrong' }, from(address));

  const RIGHT = 'notes on the engine';
  const signInAs = (username: string, password: string, address: string) =>
    nobody.post('/auth/token', { grant_type: 'password', username, password }, from(address));

  it('are limited by account and network, however the account is spelled, and say nothing of what is left', async () => {
    const spellings = ['irem@example.com', 'IREM@example.com', ' Irem@Example.com', 'İrem@example.com'];
    const dotted = ['i\u0307rem@example.com', 'İrem@example.com', 'I\u0307REM@example.com'];
    for (const names of [spellings.slice(0, 3), dotted]) {
      const address = `203.0.113.${names.length}${names === dotted ? 1 : 0}`;
      const answers = await inTurn(11, (i) => signIn(names[i % 3], address));
      expect(answers.slice(0, 10).every(({ status }) => status === 401 || status === 422)).toBe(true);
      expectProblem(answers[10] as Answer, 429, 'rate_limited');
      expect(answers[10]?.headers.get('ratelimit')).not.toContain('account');
      expect((await signIn(names[0], '203.0.113.9')).status).toBe(401);
    }
  });

  it('do not lock an account where nothing wrong was compared: malformed, taken, or right', async () => {
    const email = 'ada@example.com';
    expect((await nobody.post('/users/', { ...userBody(), email, password: RIGHT })).status).toBe(201);
    for (let i = 0; i < 11; i++) {
      const address = from(`198.51.100.${i}`);
      const taken = await nobody.post('/users/', { ...userBody(), email, password: RIGHT }, address);
      expect(taken.status).toBe(409);
      expect((await nobody.post('/auth/token', { username: email }, address)).status).toBe(422);
    }
    const right = await inTurn(11, () => signInAs(email, RIGHT, '203.0.113.7'));
    expect(statuses(right)).toEqual(Array(11).fill(200));
  });

  it('are limited by account from everywhere, but not where its owner has signed in', async () => {
    const email = 'ada@example.com';
    await nobody.post('/users/', { ...userBody(), email, password: RIGHT });
    expect((await signInAs(email, RIGHT, '203.0.113.7')).status).toBe(200);
    // So few at once that a busy machine, too, has compared them before a request is answered with 503.
    for (let first = 0; first < 100; first += 5) {
      const guesses = Array.from({ length: 5 }, (_, i) => signIn(email, `198.51.100.${first + i}`));
      expect(statuses(await Promise.all(guesses))).toEqual(Array(5).fill(401));
    }
    expect((await signInAs(email, RIGHT, '198.51.100.200')).status).toBe(429);
    expect((await signInAs(email, RIGHT, '203.0.113.7')).status).toBe(200);
  });

  it('are not counted for an account by names that look like its own and a network', async () => {
    const email = 'ada@example.com';
    await nobody.post('/users/', { ...userBody(), email, password: RIGHT });
    expect((await signInAs(email, RIGHT, '203.0.113.7')).status).toBe(200);
    const wrong = await inTurn(11, () => signIn(`${email} 203.0.113.7`, '198.51.100.1'));
    expect(statuses(wrong)).toEqual([...Array(10).fill(401), 429]);
    expect((await signInAs(email, RIGHT, '203.0.113.7')).status).toBe(200);
  });

  it('are limited by address, whichever accounts are tried, and do not lock those accounts', async () => {
    const answers = await inTurn(13, () => nobody.post('/users/', userBody(), from('203.0.113.7')));
    expect(statuses(answers)).toEqual([...Array(12).fill(201), 429]);
    await inTurn(10, () => signIn('ada@example.com', '203.0.113.7'));
    expect((await signIn('ada@example.com', '203.0.113.8')).status).toBe(401);
    expect((await nobody.post('/auth/revoke', { token: 'x' }, from('203.0.113.7'))).status).toBe(429);
  });

  it('count an IPv6 customer once, whichever of their addresses they use', async () => {
    const answers = await inTurn(13, (i) =>
      nobody.post('/auth/revoke', { token: 'x' }, from(`2001:db8:0:1:${i}::1`)),
    );
    expect(answers.at(-1)?.status).toBe(429);
    expect((await nobody.post('/auth/revoke', { token: 'x' }, from('2001:db8:0:2::1'))).status).toBe(200);
  });

  it('count a caller once, whatever its proxy writes around the address, and what is no address as one', async () => {
    const revoke = (address: string) => nobody.post('/auth/revoke', { token: 'x' }, from(address));
    for (const spell of [
      (i: number) => `203.0.113.7:${1024 + i}`,
      (i: number) => `[2001:db8::7]:${1024 + i}`,
      (i: number) => `somebody-${i}`,
    ]) {
      const answers = await inTurn(13, (i) => revoke(spell(i)));
      expect(statuses(answers)).toEqual([...Array(12).fill(200), 429]);
    }
  });

  it('count a site of IPv6 that has many networks, with room for sixteen', async () => {
    const revoke = (network: number) =>
      nobody.post('/auth/revoke', { token: 'x' }, from(`2001:db8:9:${network}::1`));
    for (let network = 1; network <= 16; network++) {
      expect(statuses(await inTurn(12, () => revoke(network)))).toEqual(Array(12).fill(200));
    }
    expect((await revoke(17)).status).toBe(429);
  });

  it('need not even validate to be counted', async () => {
    const answers = await inTurn(13, (i) => signIn(i % 2 ? { $ne: null } : 7, '203.0.113.9'));
    expect(statuses(answers)).toEqual([...Array(12).fill(422), 429]);
  });
});

describeWithRedis('with Redis', () => {
  let redis: OwnRedis;
  let proxy: FaultProxy;
  let database: TestDatabase;
  let apis: TestApi[];

  beforeAll(async () => {
    [redis, database] = await Promise.all([ownRedis(), createDatabase()]);
    proxy = await startFaultProxy(redis.url);
    const start = () =>
      startTestApi({
        DATABASE_URL: database.url,
        REDIS_URL: proxy.url,
        RATE_LIMIT_PER_MINUTE: String(LIMIT),
      });
    apis = await Promise.all([start(), start()]);
  });
  afterAll(async () => {
    await Promise.all(apis.map((api) => api.stop()));
    await proxy.cut();
    await Promise.all([redis.stop(), database.drop()]);
  });

  const redisIs = (status: object) =>
    eventually(async () => {
      for (const { client } of apis)
        expect((await client.get('/health/ready')).body.info.redis).toEqual(status);
    });
  /** The processes are asked by turns. */
  const ask = (userId: number) => (i: number) =>
    (apis[i % 2] as TestApi).client.as(tokenOf(userId)).get('/events');

  it('processes count together', async () => {
    await redisIs({ status: 'up' });
    const byTurns = await inTurn(2 * LIMIT, ask(1));
    expect(statuses(byTurns)).toEqual([...Array(LIMIT).fill(200), ...Array(LIMIT).fill(429)]);
    const atOnce = await Promise.all(Array.from({ length: 4 * LIMIT }, (_, i) => ask(2)(i)));
    expect(statuses(atOnce).sort()).toEqual([...Array(LIMIT).fill(200), ...Array(3 * LIMIT).fill(429)]);
  });

  it('two keys are all that is kept there, and they lapse', async () => {
    const client = new Redis(redis.url);
    const keys = await client.keys(`${await redisPrefixOf(database)}:rate-limit:*`);
    expect([1, 2]).toContain(keys.length);
    for (const key of keys) expect(await client.pttl(key)).toBeGreaterThan(0);
    client.disconnect();
  });

  it.each([
    ['gone', 3, () => proxy.cut()],
    ['silent', 5, () => proxy.freeze()],
  ])(
    'each process counts by itself while Redis is %s, fails no booking, and counts with others after',
    async (_, userId, breakIt) => {
      const [{ client, create }] = apis as [TestApi];
      const order = { user_id: (await create.user()).id, event_id: (await create.event()).id };
      await breakIt();
      expect(statuses(await inTurn(2 * LIMIT + 2, ask(userId)))).toEqual([
        ...Array(2 * LIMIT).fill(200),
        429,
        429,
      ]);
      expect((await client.post('/tickets/', order)).status).toBe(201);

      await proxy.cut();
      await proxy.heal();
      await redisIs({ status: 'up' });
      expect(statuses(await inTurn(LIMIT + 1, ask(userId + 1)))).toEqual([...Array(LIMIT).fill(200), 429]);
    },
  );
});
