import { SessionsService } from '../../src/users/sessions.service';
import { Passwords } from '../../src/auth/passwords';
import { startTestApi } from '../support/api';
import type { Answer } from '../support/client';
import { expectProblem } from '../support/problems';
import { accountSuite, doorOf, PASSWORD, sessionIdOf, type SignedIn } from '../support/sign-in';
import { tokenOf } from '../support/tokens';

const NEXT_PASSWORD = 'notes by the translator';
const NO_SESSION = '00000000-0000-4000-8000-000000000000';
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

const base64url = (text: string) => Buffer.from(text).toString('base64url');

describe('the sessions of an account', () => {
  const suite = accountSuite();

  describe('POST /auth/password', () => {
    const change = (user: SignedIn, current: string, next: string): Promise<Answer> =>
      suite.door.as(user).post('/auth/password', { current, new: next });

    it('changes the password, and ends all sessions but that of the request', async () => {
      const here = await suite.door.signUp();
      const there = await suite.door.signIn(here.email);
      const answer = await change(here, PASSWORD, NEXT_PASSWORD);
      expect([answer.status, answer.body]).toEqual([204, '']);

      expectProblem(await suite.door.renew(there.refresh_token), 401, 'invalid_credentials');
      const renewed = await suite.door.renew(here.refresh_token);
      expect(renewed.status).toBe(200);
      expectProblem(await suite.door.tryToSignIn(here.email, PASSWORD), 401, 'invalid_credentials');
      const again = await suite.door.signIn(here.email, NEXT_PASSWORD);
      // A renewed access token belongs to the same session.
      expect((await change(renewed.body, NEXT_PASSWORD, PASSWORD)).status).toBe(204);
      expect((await suite.door.renew(renewed.body.refresh_token)).status).toBe(200);
      expectProblem(await suite.door.renew(again.refresh_token), 401, 'invalid_credentials');
    });

    it('ends all sessions where the access token was issued in none', async () => {
      const ada = await suite.door.signUp();
      const answer = await change({ ...ada, access_token: tokenOf(ada.user_id) }, PASSWORD, NEXT_PASSWORD);
      expect(answer.status).toBe(204);
      expectProblem(await suite.door.renew(ada.refresh_token), 401, 'invalid_credentials');
    });

    it('leaves no session to a sign-in that compared the old password before and begins after', async () => {
      const ada = await suite.door.signUp();
      const passwords = suite.api.app.get(Passwords);
      const verify = passwords.verify.bind(passwords);
      const slowly = jest.spyOn(passwords, 'verify').mockImplementationOnce(async (...args) => {
        const isRight = await verify(...args);
        expect([isRight, (await change(ada, PASSWORD, NEXT_PASSWORD)).status]).toEqual([true, 204]);
        return isRight;
      });
      expectProblem(await suite.door.tryToSignIn(ada.email, PASSWORD), 401, 'invalid_credentials');
      slowly.mockRestore();
      expect((await suite.door.as(ada).get('/users/me/sessions')).body).toHaveLength(1);
    });

    it('of several at once lets one be, and keeps to it', async () => {
      const ada = await suite.door.signUp();
      const nexts = Array.from({ length: 4 }, (_, i) => `${NEXT_PASSWORD} ${i}`);
      const answers = await Promise.all(nexts.map((next) => change(ada, PASSWORD, next)));
      expect(answers.map(({ status }) => status).sort()).toEqual([204, 401, 401, 401]);
      const winner = nexts[answers.findIndex(({ status }) => status === 204)] ?? '';
      expect((await suite.door.tryToSignIn(ada.email, winner)).status).toBe(200);
    });

    it('takes all that a sign-up takes', async () => {
      const [odd, next] = ['tab\tand  two spaces \u200b', 'line\nfeed and \u{1f511} keys'];
      const ada = await suite.door.signUp(odd);
      expect((await change(ada, odd, next)).status).toBe(204);
      expect((await suite.door.tryToSignIn(ada.email, next)).status).toBe(200);
    });

    it('refuses one that is guessed first, as a sign-up does', async () => {
      const ada = await suite.door.signUp();
      for (const next of ['password1234', ada.email]) {
        expectProblem(await change(ada, PASSWORD, next), 422, 'validation_failed', { pointers: ['/new'] });
      }
      expect((await suite.door.tryToSignIn(ada.email, PASSWORD)).status).toBe(200);
    });

    it('refuses a wrong password, and ends nothing', async () => {
      const ada = await suite.door.signUp();
      const answer = await change(ada, `${PASSWORD}?`, NEXT_PASSWORD);
      expectProblem(answer, 401, 'invalid_credentials');
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="Tixxety API"');
      expect((await suite.door.renew(ada.refresh_token)).status).toBe(200);
      expect((await suite.door.tryToSignIn(ada.email, PASSWORD)).status).toBe(200);
    });

    it('gives none to an account without one', async () => {
      const guest = await suite.door.signUp(null);
      expectProblem(await change(guest, 'x', NEXT_PASSWORD), 409, 'password_not_set');
      expectProblem(await suite.door.tryToSignIn(guest.email, NEXT_PASSWORD), 401, 'invalid_credentials');
    });

    it('is for the caller alone, also for an admin', async () => {
      const ada = await suite.door.signUp();
      for (const field of ['user_id', 'username', 'email']) {
        const body = { current: PASSWORD, new: NEXT_PASSWORD, [field]: ada.user_id };
        expectProblem(await suite.api.client.post('/auth/password', body), 422, 'validation_failed', {
          pointers: [`/${field}`],
        });
      }
      expect((await suite.door.tryToSignIn(ada.email, PASSWORD)).status).toBe(200);
    });

    it.each([
      [{}, ['/current', '/new']],
      [{ current: PASSWORD }, ['/new']],
      [{ current: PASSWORD, new: 'elevenchars' }, ['/new']],
      [{ current: PASSWORD, new: 'x'.repeat(129) }, ['/new']],
      [{ current: PASSWORD, new: ' '.repeat(12) }, ['/new']],
      [{ current: null, new: NEXT_PASSWORD }, ['/current']],
      [{ current: ['a'], new: 5 }, ['/current', '/new']],
    ])('refuses %j', async (body, pointers) => {
      expectProblem(await suite.api.client.post('/auth/password', body), 422, 'validation_failed', {
        pointers,
      });
    });

    it('is done once with an Idempotency-Key', async () => {
      const ada = await suite.door.signUp();
      const send = () =>
        suite.door
          .as(ada)
          .post('/auth/password', { current: PASSWORD, new: NEXT_PASSWORD }, { 'Idempotency-Key': 'change' });
      const [first, second] = [await send(), await send()];
      expect([first.status, second.status]).toEqual([204, 204]);
      expect(second.headers.get('idempotent-replayed')).toBe('true');
      expect((await suite.door.renew(ada.refresh_token)).status).toBe(200);
    });
  });

  describe('sessions', () => {
    const list = (user: SignedIn, query = '') =>
      suite.door.as(user).get(`/users/${user.user_id}/sessions${query}`);

    it('are listed newest first, with the one of the request, and nothing to get in with', async () => {
      const first = await suite.door.signUp();
      const second = await suite.door.signIn(first.email);
      await suite.door.renew(first.refresh_token);
      const { status, body } = await list(second);
      expect(status).toBe(200);
      expect(body).toEqual([
        { id: sessionIdOf(second), created_at: TIME, last_used_at: TIME, expires_at: TIME, current: true },
        { id: sessionIdOf(first), created_at: TIME, last_used_at: TIME, expires_at: TIME, current: false },
      ]);
      const { created_at, last_used_at, expires_at } = body[1];
      expect(Date.parse(last_used_at)).toBeGreaterThan(Date.parse(created_at));
      expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(30 * 86_400_000);
    });

    it('that are older than the time of their last use say when they began', async () => {
      const ada = await suite.door.signUp();
      await suite.api.sql('UPDATE sessions SET last_used_at = NULL WHERE user_id = $1', [ada.user_id]);
      const [session] = (await list(ada)).body;
      expect(session.last_used_at).toBe(session.created_at);
    });

    it('that have lapsed are not listed, and can not be ended', async () => {
      const ada = await suite.door.signUp();
      await suite.api.sql('UPDATE sessions SET expires_at = now() WHERE user_id = $1', [ada.user_id]);
      expect((await list(ada)).body).toEqual([]);
      expectProblem(
        await suite.door.as(ada).send('DELETE', `/sessions/${sessionIdOf(ada)}`),
        404,
        'session_not_found',
      );
    });

    it('are a hundred at most, however many begin at once', async () => {
      const { id: userId } = await suite.api.create.user();
      const sessions = suite.api.app.get(SessionsService);
      const account = { userId, role: 'user' as const, createdAt: new Date(0) };
      await suite.api.sql(
        `INSERT INTO sessions (id, user_id, token_hash, expires_at)
        SELECT gen_random_uuid(), $1, '', now() + n * interval '1 hour' FROM generate_series(1, 99) AS n`,
        [userId],
      );
      await Promise.all(Array.from({ length: 20 }, () => sessions.begin(account)));
      const kept = await suite.api.sql('SELECT count(*)::int FROM sessions WHERE user_id = $1', [userId]);
      expect(kept[0].count).toBeLessThanOrEqual(100);
      expect(kept[0].count).toBeGreaterThan(50);
    });

    it('are a hundred at most: the next sign-in ends the oldest', async () => {
      const ada = await suite.door.signUp();
      const [oldest] = await suite.api.sql<{ id: string }>(
        `INSERT INTO sessions (id, user_id, token_hash, expires_at)
        SELECT gen_random_uuid(), $1, '', now() + interval '1 day' + n * interval '1 hour' FROM generate_series(1, 99) AS n
        RETURNING id`,
        [ada.user_id],
      );
      const ids = async () => ((await list(ada, '?limit=200')).body as { id: string }[]).map(({ id }) => id);
      const before = await ids();
      expect(before).toHaveLength(100);
      const next = await suite.door.signIn(ada.email);
      expect(await ids()).toEqual([sessionIdOf(next), ...before.filter((id) => id !== oldest?.id)]);
    });

    it('come page by page, each once', async () => {
      const ada = await suite.door.signUp();
      await suite.api.sql(
        `INSERT INTO sessions (id, user_id, token_hash, expires_at)
        SELECT gen_random_uuid(), $1, '', now() + n / 2 * interval '1 hour' FROM generate_series(2, 10) AS n`,
        [ada.user_id],
      );
      const pages = await suite.door.as(ada).pages(`/users/${ada.user_id}/sessions?limit=3`);
      expect(pages.map((page) => page.length)).toEqual([3, 3, 3, 1]);
      expect(new Set(pages.flat().map(({ id }) => id)).size).toBe(10);
      for (const query of ['limit=0', 'limit=201', 'cursor=x', `cursor=${base64url('[1]')}`, 'x=1']) {
        expectProblem(await list(ada, `?${query}`), 422, 'validation_failed');
      }
    });

    it('of others are nothing to a user, and open to an admin', async () => {
      const [ada, bob] = [await suite.door.signUp(), await suite.door.signUp()];
      expectProblem(await suite.door.as(bob).get(`/users/${ada.user_id}/sessions`), 404, 'user_not_found');
      expectProblem(
        await suite.door.as(bob).send('DELETE', `/sessions/${sessionIdOf(ada)}`),
        404,
        'session_not_found',
      );
      expect((await suite.door.renew(ada.refresh_token)).status).toBe(200);

      const { body } = await suite.api.client.get(`/users/${ada.user_id}/sessions`);
      expect(body).toMatchObject([{ id: sessionIdOf(ada), current: false }]);
      expectProblem(await suite.api.client.get('/users/999999/sessions'), 404, 'user_not_found');
      expect((await suite.api.client.send('DELETE', `/sessions/${sessionIdOf(ada)}`)).status).toBe(204);
      expect((await list(ada)).body).toEqual([]);
    });

    it('end once; their access tokens last until their time is over', async () => {
      const here = await suite.door.signUp();
      const there = await suite.door.signIn(here.email);
      const end = () => suite.door.as(here).send('DELETE', `/sessions/${sessionIdOf(there)}`);
      const answer = await end();
      expect([answer.status, answer.body]).toEqual([204, '']);
      expectProblem(await end(), 404, 'session_not_found');
      expectProblem(await suite.door.renew(there.refresh_token), 401, 'invalid_credentials');
      expect((await suite.door.as(there).get('/users/me')).status).toBe(200);
      expect((await suite.door.renew(here.refresh_token)).status).toBe(200);
    });

    it('have UUIDs for ids', async () => {
      for (const id of ['1', 'me', `${NO_SESSION}0`, '%00']) {
        expectProblem(await suite.api.client.send('DELETE', `/sessions/${id}`), 422, 'validation_failed', {
          pointers: ['/session_id'],
        });
      }
      expectProblem(
        await suite.api.client.send('DELETE', `/sessions/${NO_SESSION}`),
        404,
        'session_not_found',
      );
    });
  });
});

describe('guesses at the own password', () => {
  it('are limited like others, by account and by address', async () => {
    const api = await startTestApi({ RATE_LIMIT_PER_MINUTE: '12', TRUST_PROXY: '1' });
    const guess = (user: { id: number }, address: string) =>
      api.client
        .as(tokenOf(user.id))
        .post('/auth/password', { current: 'x', new: NEXT_PASSWORD }, { 'X-Forwarded-For': address });
    const door = doorOf(api.client);
    const [ada, bob] = [await door.signUp(), await door.signUp()].map(({ user_id }) => ({ id: user_id })) as [
      { id: number },
      { id: number },
    ];
    const answers: Answer[] = [];
    for (let i = 0; i < 11; i++) answers.push(await guess(ada, `203.0.113.${i}`));
    expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(401), 429]);
    expect(answers.at(-1)?.headers.get('ratelimit')).not.toContain('account');
    expect((await guess(bob, '203.0.113.1')).status).toBe(401);
    for (let i = 0; i < 11; i++) await guess({ id: 200 + i }, '203.0.113.100');
    expect((await guess({ id: 300 }, '203.0.113.100')).status).toBe(404);
    expectProblem(await guess({ id: 301 }, '203.0.113.100'), 429, 'rate_limited');
    await api.stop();
  });
});
