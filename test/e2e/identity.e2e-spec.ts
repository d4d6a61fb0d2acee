import { randomBytes } from 'node:crypto';
import { Passwords } from '../../src/auth/passwords';
import { SessionsService } from '../../src/users/sessions.service';
import { startTestApi, type TestApi } from '../support/api';
import type { Answer } from '../support/client';
import { eventBody, userBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { TEST_SECRET, tokenOf } from '../support/tokens';

const PASSWORD = 'notes on the engine';

describe('identity', () => {
  let api: TestApi;
  let ada: { id: number; email: string; access_token: string; refresh_token: string };
  /** Everything that was answered here, as it was sent. */
  const heard: Answer[] = [];

  beforeAll(async () => {
    api = await startTestApi();
    const answer = await post('/users/', { ...userBody(), password: PASSWORD });
    expect(answer.status).toBe(201);
    ada = answer.body;
  });
  afterAll(() => api.stop());

  async function post(path: string, body: unknown): Promise<Answer> {
    const answer = await api.client.as('').post(path, body);
    heard.push(answer);
    return answer;
  }
  const signIn = (username: string, password = PASSWORD) =>
    post('/auth/token', { grant_type: 'password', username, password });
  const renew = (refresh_token: unknown) =>
    post('/auth/token', { grant_type: 'refresh_token', refresh_token });
  /** As after a sign-in, without the price of one. */
  const begin = async (userId = ada.id) =>
    (await api.app.get(SessionsService).begin({ userId, role: 'user', createdAt: new Date(0) }))
      .refreshToken ?? '';
  const me = (token: string) => api.client.as(token).get(`/users/${ada.id}`);
  const form = (fields: string | Record<string, string>, headers: object = {}) =>
    api.client.as('').send('POST', '/auth/token', {
      body: new URLSearchParams(fields).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    });

  describe('signing up', () => {
    it('lets in who signed up, with and without a password', async () => {
      expect(ada).toMatchObject({ token_type: 'Bearer', expires_in: 900, refresh_token: expect.any(String) });
      expect((await me(ada.access_token)).body).toMatchObject({ id: ada.id, email: ada.email });

      const { body: guest } = await post('/users/', { ...userBody(), password: null });
      expect(guest).not.toHaveProperty('refresh_token');
      expect((await api.client.as(guest.access_token).get(`/users/${guest.id}`)).status).toBe(200);
    });

    it('keeps nothing that could be used: a hash of the password, and one of the refresh token', async () => {
      const [kept] = await api.sql(
        'SELECT password_hash, role, token_hash FROM users JOIN sessions ON user_id = users.id WHERE users.id = $1',
        [ada.id],
      );
      expect(kept).toEqual({
        password_hash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/),
        role: 'user',
        token_hash: expect.any(Buffer),
      });
      expect(kept.token_hash).toHaveLength(32);
    });

    it.each(['', 'elevenchars', 'x'.repeat(129), ' '.repeat(12), 5, ['twelve or more']])(
      'refuses the password %j',
      async (password) => {
        const answer = await post('/users/', { ...userBody(), password });
        expectProblem(answer, 422, 'validation_failed', { pointers: ['/password'] });
      },
    );

    it('answers with what is not to be stored', () => {
      expect(heard[0]?.headers.get('cache-control')).toBe('no-store');
    });
  });

  describe('signing in', () => {
    it('takes the e-mail in letters of any case, as JSON and as a form', async () => {
      const json = await signIn(ada.email.toUpperCase());
      const sent = { grant_type: 'password', username: ada.email, password: PASSWORD };
      // As Swagger UI sends it, whose client has no name.
      const basic = { Authorization: `Basic ${Buffer.from(':').toString('base64')}` };
      for (const answer of [json, await form({ ...sent, scope: '' }, basic)]) {
        expect(answer).toMatchObject({
          status: 200,
          body: {
            access_token: expect.any(String),
            token_type: 'Bearer',
            expires_in: 900,
            refresh_token: expect.any(String),
            user_id: ada.id,
          },
        });
        expect(Object.keys(answer.body)).toHaveLength(5);
        expect(answer.headers.get('cache-control')).toBe('no-store');
        expect((await me(answer.body.access_token)).status).toBe(200);
      }
    });

    it('refuses a wrong password, an unknown e-mail and an account without a password alike', async () => {
      const guest = await api.create.user();
      const compare = jest.spyOn(api.app.get(Passwords), 'verify');
      const answers = [
        await signIn(ada.email, `${PASSWORD}?`),
        await signIn('nobody@example.com'),
        await signIn(guest.email),
        await signIn('no e-mail at all'),
      ];
      for (const answer of answers) {
        expectProblem(answer, 401, 'invalid_credentials');
        expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="Tixxety API"');
        expect({ ...answer.body, request_id: '' }).toEqual({ ...answers[0]?.body, request_id: '' });
      }
      // Each took a comparison, the dear part; that one without a hash costs as much has a test of its own.
      expect(compare.mock.calls.map(([hash]) => typeof hash)).toEqual([
        'string',
        'undefined',
        'object',
        'undefined',
      ]);
      compare.mockRestore();
    });

    it.each([
      [{}, ['/grant_type']],
      [{ grant_type: 'client_credentials' }, ['/grant_type']],
      [{ grant_type: 'password' }, ['/password', '/username']],
      [{ grant_type: 'password', username: 'a', password: 5 }, ['/password']],
      [{ grant_type: 'password', username: ['a', 'b'], password: 'b' }, ['/username']],
      [{ grant_type: 'password', username: 'a\0', password: 'b' }, ['/username']],
      [{ grant_type: 'refresh_token' }, ['/refresh_token']],
      [{ grant_type: 'refresh_token', refresh_token: null }, ['/refresh_token']],
      [{ grant_type: 'refresh_token', refresh_token: 'x', otp: '1' }, ['/otp']],
    ])('refuses %j', async (body, pointers) => {
      expectProblem(await post('/auth/token', body), 422, 'validation_failed', { pointers });
    });

    it.each([
      ['username=a&username=b&password=c&grant_type=password', ['/username']],
      ['grant_type=password&username[x]=a&password=c', ['/username', '/username[x]']],
    ])('refuses the form %s', async (fields, pointers) => {
      expectProblem(await form(fields), 422, 'validation_failed', { pointers });
    });

    it('takes forms here only, and none without end', async () => {
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const answer = await api.client.send('POST', '/tickets/', { body: 'event_id=1', headers });
      expectProblem(answer, 415, 'unsupported_media_type');
      expectProblem(await form('a=&'.repeat(1_001)), 413, 'body_too_large');
      expectProblem(await form(`a=${'x'.repeat(33_000)}`), 413, 'body_too_large');
    });
  });

  describe('a refresh token', () => {
    it('is good once; its second use ends the session, and no other', async () => {
      const [first, elsewhere] = [await begin(), await begin()];
      const second = await renew(first);
      expect(second).toMatchObject({
        status: 200,
        body: { refresh_token: expect.any(String), expires_in: 900 },
      });
      expect((await me(second.body.access_token)).status).toBe(200);
      const third = await renew(second.body.refresh_token);
      expect(third.status).toBe(200);

      expectProblem(await renew(first), 401, 'invalid_credentials');
      expectProblem(await renew(third.body.refresh_token), 401, 'invalid_credentials');
      expect((await renew(elsewhere)).status).toBe(200);
    });

    it('used by ten at once is good for one, and the session ends', async () => {
      const token = await begin();
      const answers = await Promise.all(Array.from({ length: 10 }, () => renew(token)));
      const [winner, ...losers] = answers.sort((a, b) => a.status - b.status);
      expect(winner?.status).toBe(200);
      for (const answer of losers) expectProblem(answer, 401, 'invalid_credentials');
      expectProblem(await renew(winner?.body.refresh_token), 401, 'invalid_credentials');
    });

    it('lasts thirty days from signing in, however often it is renewed', async () => {
      const token = await begin();
      const ends = `SELECT round(extract(epoch FROM expires_at - now()) / 86400)::int AS days, expires_at
        FROM sessions WHERE id::text = left($1, 36)`;
      const [before] = await api.sql(ends, [token]);
      expect(before.days).toBe(30);
      const { body } = await renew(token);
      expect((await api.sql(ends, [token]))[0].expires_at).toEqual(before.expires_at);

      await api.sql('UPDATE sessions SET expires_at = now() WHERE id::text = left($1, 36)', [token]);
      expectProblem(await renew(body.refresh_token), 401, 'invalid_credentials');
    });

    it('leaves nothing behind once it has lapsed', async () => {
      const { id } = await api.create.user();
      await begin(id);
      await api.sql('UPDATE sessions SET expires_at = now() WHERE user_id = $1', [id]);
      await begin(id);
      expect(await api.sql('SELECT count(*)::int FROM sessions WHERE user_id = $1', [id])).toEqual([
        { count: 1 },
      ]);
    });

    it('brings the role that its user has by now', async () => {
      const { id } = await api.create.user();
      const token = await begin(id);
      await api.sql(`UPDATE users SET role = 'admin' WHERE id = $1`, [id]);
      const { body } = await renew(token);
      expect((await me(body.access_token)).status).toBe(200);
    });

    it.each(['x', '..', `${'0'.repeat(36)}.${'A'.repeat(43)}`, `' OR true--`, 'é'.repeat(200)])(
      'is not %j',
      async (token) => expectProblem(await renew(token), 401, 'invalid_credentials'),
    );

    it('that was never issued ends nothing, whichever session it names', async () => {
      const token = await begin();
      const elsewhere = await begin();
      for (const guess of [
        `${token.slice(0, 37)}${'A'.repeat(43)}`,
        token.slice(0, 37) + elsewhere.slice(37),
      ]) {
        expectProblem(await renew(guess), 401, 'invalid_credentials');
        expect((await post('/auth/revoke', { token: guess })).status).toBe(200);
      }
      expect((await renew(token)).status).toBe(200);
    });

    it('that was issued before it had a tag is good, and ends its session', async () => {
      const [renewed, ended] = [await begin(), await begin()];
      const untagged = async (token: string) => {
        const plain = token.slice(0, 37) + randomBytes(32).toString('base64url');
        await api.sql('UPDATE sessions SET token_hash = sha256($2) WHERE id::text = left($1, 36)', [
          token,
          Buffer.from(plain),
        ]);
        return plain;
      };
      expect((await renew(await untagged(renewed))).status).toBe(200);
      const plain = await untagged(ended);
      await post('/auth/revoke', { token: plain });
      expectProblem(await renew(plain), 401, 'invalid_credentials');
    });
  });

  describe('signing out', () => {
    it('ends the session, with a used token too, and says the same where there is none', async () => {
      const [token, used] = [await begin(), await begin()];
      const { body } = await renew(used);
      for (const sent of [token, used, token, 'x', tokenOf(ada.id)]) {
        const answer = await post('/auth/revoke', { token: sent, token_type_hint: 'refresh_token' });
        expect(answer).toMatchObject({ status: 200, body: '' });
      }
      for (const ended of [token, body.refresh_token]) {
        expectProblem(await renew(ended), 401, 'invalid_credentials');
      }
    });
  });

  it('tells nobody a hash, a secret or the token of another', async () => {
    const as = api.client.as(ada.access_token);
    const { body: event } = await as.post('/events/', eventBody());
    const { body: ticket } = await as.post('/tickets/', { event_id: event.id });
    const paths = ['/', '/events/', `/events/${event.id}`, `/users/${ada.id}`, `/users/${ada.id}/tickets`];
    const [kept] = await api.sql(
      `SELECT password_hash, encode(token_hash, 'hex') AS hex, encode(token_hash, 'base64') AS base64
      FROM users JOIN sessions ON user_id = users.id WHERE users.id = $1`,
      [ada.id],
    );
    const secrets = [...Object.values<string>(kept), PASSWORD, TEST_SECRET, '$argon2'];
    const tokens = /access_token|refresh_token|eyJ|[\da-f-]{36}\.[\w-]{43}/;

    for (const path of [...paths, `/tickets/${ticket.id}`, '/users/for-you', '/tickets/999999', '/nowhere']) {
      for (const client of [as, api.client]) {
        const { body } = await client.get(path);
        expect(JSON.stringify(body)).not.toMatch(tokens);
        heard.push({ status: 200, headers: new Headers(), body });
      }
    }
    const told = JSON.stringify(heard.map(({ body, headers }) => [body, [...headers]]));
    for (const secret of secrets) expect(told).not.toContain(secret);
    expect(Object.keys((await as.get(`/users/${ada.id}`)).body).sort()).toEqual(
      'created_at email id location_address location_latitude location_longitude name'.split(' '),
    );
  });
});
