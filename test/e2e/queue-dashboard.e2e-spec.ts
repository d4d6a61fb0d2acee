import { setTimeout as sleep } from 'node:timers/promises';
import { hash } from '@node-rs/argon2';
import Bull from 'bull';
import { EXPIRATION_QUEUE, RELEASE_JOB } from '../../src/queue/job-types';
import { Turns } from '../../src/rate-limit/turns';
import { startTestApi, type TestApi } from '../support/api';
import type { Client } from '../support/client';
import { eventually } from '../support/eventually';
import { userBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { ownRedis, type OwnRedis } from '../support/redis';
import { redisPrefixOf } from '../support/redis-prefix';
import { TEST_ADMIN } from '../support/tokens';
import { describeWithRedis } from '../support/with-redis';

const PASSWORD = 'a password: with a colon';
const basic = (email: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${email}:${password}`).toString('base64')}`,
});
/** Of a password that nobody knows. */
const OTHER_HASH = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const ADMIN = basic(TEST_ADMIN.email, PASSWORD);

describeWithRedis('the queue dashboard', () => {
  let redis: OwnRedis;
  let api: TestApi;
  let nobody: Client;

  beforeAll(async () => {
    redis = await ownRedis();
    api = await startTestApi({ REDIS_URL: redis.url, QUEUE_DASHBOARD: 'on', NODE_ENV: 'production' });
    nobody = api.client.as('');
    await api.sql('UPDATE users SET password_hash = $2 WHERE id = $1', [TEST_ADMIN.id, await hash(PASSWORD)]);
  });
  afterAll(async () => {
    await api.stop();
    await redis.stop();
  });

  it('is for admins alone, who are asked for e-mail and password', async () => {
    const { body: user } = await nobody.post('/users/', { ...userBody(), password: PASSWORD });
    const refused: Record<string, string>[] = [
      {},
      basic(TEST_ADMIN.email, 'another password'),
      basic('nobody@example.com', PASSWORD),
      basic(user.email, PASSWORD),
      { Authorization: 'Basic ????' },
      { Authorization: `Bearer ${user.access_token}` },
      { ...ADMIN, 'Sec-Fetch-Site': 'cross-site' },
      { ...ADMIN, 'Sec-Fetch-Site': 'same-site' },
      { ...ADMIN, Origin: 'https://elsewhere.example' },
      { ...ADMIN, Origin: 'null' },
    ];
    for (const path of ['/queues', '/queues/api/queues', '/queues/static/js/main.js']) {
      for (const headers of refused) {
        const answer = await nobody.get(path, headers);
        expectProblem(answer, 401, 'unauthenticated');
        expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="/);
      }
    }
    for (const site of ['same-origin', 'none']) {
      expect((await nobody.get('/queues', { ...ADMIN, 'Sec-Fetch-Site': site })).status).toBe(200);
    }
  });

  it('changes nothing for the page of another origin', async () => {
    const path = `/queues/api/queues/${EXPIRATION_QUEUE}/1/retry`;
    const put = (Origin: string) => nobody.send('PUT', path, { headers: { ...ADMIN, Origin } });
    expectProblem(await put('https://elsewhere.example'), 401, 'unauthenticated');
    expectProblem(await put(api.client.url.replace(/\d+$/, '1')), 401, 'unauthenticated');
    expect((await put(api.client.url)).status).toBe(404);
  });

  it('is a page whose parts all load', async () => {
    const { status, headers, body } = await nobody.get<string>('/queues', ADMIN);
    expect({ status, type: headers.get('content-type') }).toEqual({
      status: 200,
      type: 'text/html; charset=utf-8',
    });
    expect(body).toContain('<base href="/queues/" />');
    const assets = [...body.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map(([, asset]) => asset);
    expect(assets.length).toBeGreaterThan(3);
    for (const asset of assets) expect((await nobody.get(`/queues/${asset}`, ADMIN)).status).toBe(200);
  });

  it('shows jobs that failed, and tries them again', async () => {
    const worker = new Bull(EXPIRATION_QUEUE, redis.url, { prefix: await redisPrefixOf(api) });
    let isBroken = true;
    void worker.process(RELEASE_JOB, () =>
      isBroken ? Promise.reject(new Error('the database is out of reach')) : Promise.resolve(),
    );
    const { id } = await worker.add(RELEASE_JOB, { dueAt: '2030-01-01T00:00:00.000Z' });
    const failed = async () => {
      const { body } = await nobody.get(
        `/queues/api/queues?activeQueue=${EXPIRATION_QUEUE}&status=failed`,
        ADMIN,
      );
      return body.queues[0].jobs as object[];
    };
    await eventually(async () => {
      expect(await failed()).toMatchObject([{ id, failedReason: 'the database is out of reach' }]);
    });
    isBroken = false;
    const retry = await nobody.send('PUT', `/queues/api/queues/${EXPIRATION_QUEUE}/${id}/retry`, {
      headers: ADMIN,
    });
    expect(retry.status).toBe(204);
    await eventually(async () => expect(await failed()).toEqual([]));
    await worker.close();
  });

  it('says so without a stack where Redis is out of reach', async () => {
    await redis.takeAway();
    const { status, body } = await nobody.get('/queues/api/queues', ADMIN);
    expect({ status, body }).toEqual({ status: 500, body: { error: 'The queue is out of reach' } });
    await redis.bringBack();
  });
});

describeWithRedis('passwords at the queue dashboard', () => {
  let redis: OwnRedis;
  let api: TestApi;

  beforeEach(async () => {
    redis = await ownRedis();
    const limits = { RATE_LIMIT_PER_MINUTE: '600', TRUST_PROXY: '1' };
    api = await startTestApi({ REDIS_URL: redis.url, QUEUE_DASHBOARD: 'on', ...limits });
    await api.sql('UPDATE users SET password_hash = $2 WHERE id = $1', [TEST_ADMIN.id, await hash(PASSWORD)]);
  });
  afterEach(async () => {
    await api.stop();
    await redis.stop();
  });

  const look = (address: string, headers: Record<string, string>) =>
    api.client.as('').get('/queues', { ...headers, 'X-Forwarded-For': address });

  it('wait for their turn, and keep nobody elsewhere from signing in', async () => {
    const guesses = Array.from({ length: 90 }, (_, i) =>
      look('203.0.113.1', basic(`nobody-${i % 9}@example.com`, PASSWORD)),
    );
    await sleep(50);
    const body = { grant_type: 'password', username: TEST_ADMIN.email, password: PASSWORD };
    const signIn = await api.client.as('').post('/auth/token', body, { 'X-Forwarded-For': '203.0.113.2' });
    expect(signIn.status).toBe(200);
    const statuses = new Set((await Promise.all(guesses)).map(({ status }) => status));
    expect([...statuses].sort()).toEqual([401, 429]);
  });

  it('are counted with those at the door', async () => {
    const renewal = { grant_type: 'refresh_token', refresh_token: 'x' };
    const from = { 'X-Forwarded-For': '203.0.113.3' };
    for (let i = 0; i < 100; i++)
      expect((await api.client.as('').post('/auth/token', renewal, from)).status).toBe(401);
    const answer = await look('203.0.113.3', ADMIN);
    expectProblem(answer, 429, 'rate_limited');
  });

  it('that were right are not compared again, however the e-mail is written', async () => {
    expect((await look('203.0.113.4', ADMIN)).status).toBe(200);
    const take = jest.spyOn(api.app.get(Turns), 'take');
    expect((await look('203.0.113.4', basic(TEST_ADMIN.email.toUpperCase(), PASSWORD))).status).toBe(200);
    expect(take).not.toHaveBeenCalled();
    expect((await look('203.0.113.4', basic(TEST_ADMIN.email, `${PASSWORD}?`))).status).toBe(401);
    expect(take).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['has another password', { password_hash: OTHER_HASH }],
    ['is no admin', { role: 'user' }],
    ['has another address', { email: 'moved@example.com', email_key: 'moved@example.com' }],
  ])('are no good any more once the account %s', async (_what, changes) => {
    expect((await look('203.0.113.5', ADMIN)).status).toBe(200);
    const columns = Object.keys(changes).map((name, i) => `${name} = $${i + 2}`);
    await api.sql(`UPDATE users SET ${columns.join()} WHERE id = $1`, [
      TEST_ADMIN.id,
      ...Object.values(changes),
    ]);
    expectProblem(await look('203.0.113.5', ADMIN), 401, 'unauthenticated');
  });

  it.each([
    ['e-mails', basic('n'.repeat(256), PASSWORD)],
    ['passwords', basic(TEST_ADMIN.email, 'p'.repeat(129))],
  ])('are not looked up where %s are too long', async (_what, headers) => {
    const take = jest.spyOn(api.app.get(Turns), 'take');
    expectProblem(await look('203.0.113.6', headers), 401, 'unauthenticated');
    expect(take).not.toHaveBeenCalled();
  });
});

it.each([
  {
    where: 'in production, unless it is asked for',
    settings: { NODE_ENV: 'production', REDIS_URL: 'redis://127.0.0.1:1' },
  },
  { where: 'without Redis', settings: { QUEUE_DASHBOARD: 'on' } },
  { where: 'where it is turned off', settings: { QUEUE_DASHBOARD: 'off', REDIS_URL: 'redis://127.0.0.1:1' } },
])('the queue dashboard is not there $where', async ({ settings }) => {
  const api = await startTestApi(settings as unknown as Record<string, string>);
  for (const path of ['/queues', '/queues/api/queues']) {
    expectProblem(await api.client.get(path), 404, 'route_not_found');
  }
  await api.stop();
});
