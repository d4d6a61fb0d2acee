import { randomUUID } from 'node:crypto';
import { ThrottlerStorage } from '@nestjs/throttler';
import { Passwords } from '../../src/auth/passwords';
import { Transactions } from '../../src/database/transactions';
import type { RateLimitStorage } from '../../src/rate-limit/rate-limit.storage';
import { startTestApi, type TestApi } from '../support/api';
import type { Client } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { userBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { exact, isReplay } from '../support/replays';
import { doorOf, PASSWORD } from '../support/sign-in';

const NEXT_PASSWORD = 'notes by the translator';

const IN_TRANSACTION = `SELECT FROM pg_stat_activity
  WHERE datname = current_database() AND state LIKE 'idle in transaction%'`;

describe('what a request with an Idempotency-Key does before its transaction', () => {
  let database: TestDatabase;
  let api: TestApi;
  let nobody: Client;
  let door: ReturnType<typeof doorOf>;
  let passwords: Passwords;

  beforeAll(async () => {
    database = await createDatabase();
    // Guesses are counted.
    api = await startTestApi({
      DATABASE_URL: database.url,
      RATE_LIMIT_PER_MINUTE: '100000',
      TRUST_PROXY: '1',
    });
    nobody = api.client.as('');
    door = doorOf(api.client);
    passwords = api.app.get(Passwords);
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  const keyed = (key: string = randomUUID()) => ({ 'Idempotency-Key': key });
  const signUp = (headers = keyed(), body: object = { ...userBody(), password: PASSWORD }) =>
    nobody.post('/users/', body, headers);

  /** What is slow or outside while `work` goes on: its names, and how many transactions were open at the time. */
  async function slowCallsOf(work: () => Promise<unknown>): Promise<{ name: string; open: number }[]> {
    const calls: { name: string; open: number }[] = [];
    const watch = (target: object, names: string[]) => {
      const methods = target as Record<string, (...args: unknown[]) => Promise<unknown>>;
      for (const name of names) {
        const original = methods[name]?.bind(target);
        jest.spyOn(methods, name).mockImplementation(async (...args) => {
          calls.push({ name, open: (await database.sql(IN_TRANSACTION)).length });
          return await original?.(...args);
        });
      }
    };
    watch(passwords, ['hash', 'verify']);
    watch(api.app.get<RateLimitStorage>(ThrottlerStorage), ['increment']);
    await work();
    jest.restoreAllMocks();
    return calls;
  }

  it.each<[string, string[], () => Promise<() => Promise<{ status: number }>>]>([
    ['a sign-up hashes the password', ['hash'], () => Promise.resolve(() => signUp())],
    [
      'a sign-in compares the password, and counts the guess',
      ['increment', 'verify'],
      async () => {
        const { email: username } = await door.signUp();
        const body = { grant_type: 'password', username, password: PASSWORD };
        return () => nobody.post('/auth/token', body, keyed());
      },
    ],
    [
      'a change of the password compares one and hashes the other',
      ['increment', 'verify', 'hash'],
      async () => {
        const ada = await door.signUp();
        const body = { current: PASSWORD, new: NEXT_PASSWORD };
        return () => door.as(ada).post('/auth/password', body, keyed());
      },
    ],
  ])('%s', async (_what, names, prepare) => {
    const send = await prepare();
    const calls = await slowCallsOf(async () => expect((await send()).status).toBeLessThan(300));
    expect(calls.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
    expect(calls.filter(({ open }) => open > 0)).toEqual([]);
  });

  it('would be seen in a transaction', async () => {
    const calls = await slowCallsOf(() => api.app.get(Transactions).run(() => passwords.hash(NEXT_PASSWORD)));
    expect(calls).toEqual([{ name: 'hash', open: 1 }]);
  });

  it('is left out for a request that was answered before', async () => {
    const [headers, body] = [keyed(), { ...userBody(), password: PASSWORD }];
    const first = await signUp(headers, body);
    const hash = jest.spyOn(passwords, 'hash');
    const second = await signUp(headers, body);
    expect([first.status, second.status, isReplay(second)]).toEqual([201, 201, true]);
    expect(hash).not.toHaveBeenCalled();
  });

  it('is done once for requests that come at once', async () => {
    const [headers, body] = [keyed(), { ...userBody(), password: PASSWORD }];
    let goOn: (passwordHash: string) => void = () => undefined;
    const hash = jest.spyOn(passwords, 'hash').mockReturnValue(new Promise((resolve) => (goOn = resolve)));
    const first = signUp(headers, body);
    await eventually(() => expect(hash).toHaveBeenCalled());
    // From elsewhere: a network waits for its turn to have a password hashed.
    const again = { ...headers, 'X-Forwarded-For': '203.0.113.7' };
    expectProblem(await signUp(again, body), 409, 'idempotency_in_progress');
    goOn('a hash');
    expect((await first).status).toBe(201);
    expect(hash).toHaveBeenCalledTimes(1);
  });

  it('keeps its refusals as those of the transaction', async () => {
    const guest = await door.signUp(null);
    const headers = keyed();
    const change = () =>
      door.as(guest).post('/auth/password', { current: PASSWORD, new: NEXT_PASSWORD }, headers);
    const first = await change();
    expectProblem(first, 409, 'password_not_set');
    await api.sql(`UPDATE users SET password_hash = 'a hash' WHERE id = $1`, [guest.user_id]);
    const second = await change();
    expect([isReplay(second), exact(second)]).toEqual([true, exact(first)]);
  });

  it('is not undone by a refusal: a refresh token that is used twice ends its session, with a key too', async () => {
    const ada = await door.signUp();
    const { body: next } = await door.renew(ada.refresh_token);
    const again = { grant_type: 'refresh_token', refresh_token: ada.refresh_token };
    expectProblem(await nobody.post('/auth/token', again, keyed()), 401, 'invalid_credentials');
    expectProblem(await door.renew(next.refresh_token), 401, 'invalid_credentials');
  });
});
