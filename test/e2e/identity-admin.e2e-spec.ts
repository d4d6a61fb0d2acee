import { startTestApi, type TestApi } from '../support/api';
import { userBody } from '../support/factories';
import { expectProblem } from '../support/problems';

describe('the admin of the settings', () => {
  const email = 'root@tixxety.test';
  let first: TestApi;
  beforeAll(async () => {
    first = await startTestApi();
  });
  afterAll(() => first.stop());

  const start = (password: string) =>
    startTestApi({
      DATABASE_URL: first.settings.DATABASE_URL ?? '',
      ADMIN_EMAIL: email,
      ADMIN_PASSWORD: password,
    });
  const signIn = (password: string) =>
    first.client.as('').post('/auth/token', { grant_type: 'password', username: email, password });

  it('is there after the start, also of two at once, in the place of whoever had the e-mail', async () => {
    const squatter = await first.client.post('/users/', {
      ...userBody(),
      email: email.toUpperCase(),
      password: 'let me be admin',
    });
    const { body: foreign } = await first.client.post('/users/', userBody());
    const both = await Promise.all([start('the first password'), start('the first password')]);
    await Promise.all(both.map((api) => api.stop()));

    expectProblem(await signIn('let me be admin'), 401, 'invalid_credentials');
    const { refresh_token } = squatter.body;
    const renewal = await first.client.post('/auth/token', { grant_type: 'refresh_token', refresh_token });
    expectProblem(renewal, 401, 'invalid_credentials');
    const { body: tokens } = await signIn('the first password');
    expect((await first.client.as(tokens.access_token).get(`/users/${foreign.id}`)).status).toBe(200);
    expect(await first.sql('SELECT role FROM users WHERE lower(email) = $1', [email])).toEqual([
      { role: 'admin' },
    ]);

    // The same again changes nothing; another password ends what the old one began.
    await (await start('the first password')).stop();
    const renewed = await first.client.post('/auth/token', {
      grant_type: 'refresh_token',
      refresh_token: tokens.refresh_token,
    });
    expect(renewed.status).toBe(200);
    await (await start('a second password')).stop();
    const again = await first.client.post('/auth/token', {
      grant_type: 'refresh_token',
      refresh_token: renewed.body.refresh_token,
    });
    expectProblem(again, 401, 'invalid_credentials');
    expectProblem(await signIn('the first password'), 401, 'invalid_credentials');
    expect((await signIn('a second password')).status).toBe(200);
  });
});
