import { ResourceOwnerPassword, type AccessToken } from 'simple-oauth2';
import { startTestApi, type TestApi } from '../support/api';
import { expectProblem } from '../support/problems';
import { doorOf, PASSWORD, type SignedIn } from '../support/sign-in';

/** What the library throws when it is refused: the answer, with its body parsed. */
interface Refused {
  output: { statusCode: number };
  data: { payload: Record<string, unknown> };
}

describe('a client that speaks OAuth 2.0', () => {
  let api: TestApi;
  let client: ResourceOwnerPassword;
  let ada: SignedIn & { email: string };

  beforeAll(async () => {
    api = await startTestApi();
    client = new ResourceOwnerPassword({
      client: { id: 'any', secret: 'none' },
      auth: { tokenHost: api.client.url, tokenPath: '/auth/token', revokePath: '/auth/revoke' },
      options: { authorizationMethod: 'body' },
      // A revocation has no body to be parsed (RFC 7009, section 2.2).
      http: { json: true },
    });
    ada = await doorOf(api.client).signUp();
  });
  afterAll(() => api.stop());

  const signIn = (username = ada.email, password = PASSWORD) => client.getToken({ username, password });
  const refusalOf = async (asked: Promise<unknown>): Promise<[status: number, error: unknown]> => {
    const refused = await asked.then(
      () => undefined,
      (error: unknown) => error as Refused,
    );
    return [refused?.output.statusCode ?? 0, refused?.data.payload.error];
  };

  it('signs in, renews and signs out', async () => {
    const first: AccessToken = await signIn();
    expect(first.token).toMatchObject({ token_type: 'Bearer', user_id: ada.user_id });
    expect(first.expired()).toBe(false);
    const second = await first.refresh();
    expect(second.token.access_token).toEqual(expect.any(String));
    expect((await api.client.as(String(second.token.access_token)).get('/users/me')).status).toBe(200);
    await second.revoke('refresh_token');
    expect(await refusalOf(second.refresh())).toEqual([401, 'invalid_grant']);
  });

  it('understands why it is refused', async () => {
    expect(await refusalOf(signIn(ada.email, 'wrong'))).toEqual([401, 'invalid_grant']);
    expect(await refusalOf(signIn('', PASSWORD))).toEqual([422, 'invalid_request']);
    const used = await signIn();
    await used.refresh();
    expect(await refusalOf(used.refresh())).toEqual([401, 'invalid_grant']);
  });

  describe('beside the problem there stands', () => {
    const json = { 'Content-Type': 'application/json' };
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const WRONG = 'grant_type=password&username=ada&password=wrong';

    it.each([
      ['a wrong password', '/auth/token', form, WRONG, 401, 'invalid_credentials', 'invalid_grant'],
      [
        'one with a key',
        '/auth/token',
        { ...form, 'Idempotency-Key': 'k' },
        WRONG,
        401,
        'invalid_credentials',
        'invalid_grant',
      ],
      ['one with a trailing slash', '/auth/token/', form, WRONG, 401, 'invalid_credentials', 'invalid_grant'],
      [
        'an unknown grant',
        '/auth/token',
        form,
        'grant_type=client_credentials',
        422,
        'validation_failed',
        'unsupported_grant_type',
      ],
      ['no grant', '/auth/token', form, 'username=ada', 422, 'validation_failed', 'invalid_request'],
      [
        'a missing password',
        '/auth/token',
        form,
        'grant_type=password&username=ada',
        422,
        'validation_failed',
        'invalid_request',
      ],
      ['broken JSON', '/auth/token', json, '{', 422, 'malformed_json', 'invalid_request'],
      [
        'a body of no type',
        '/auth/token',
        { 'Content-Type': 'text/plain' },
        'x',
        415,
        'unsupported_media_type',
        'invalid_request',
      ],
      [
        'an odd field',
        '/auth/token',
        json,
        '{"\\"\\\\\u00e9":1}',
        422,
        'validation_failed',
        'invalid_request',
      ],
      ['no token to revoke', '/auth/revoke', form, 'token=', 422, 'validation_failed', 'invalid_request'],
    ])('for %s an error in the words of OAuth', async (_what, path, headers, body, status, code, error) => {
      const answer = await api.client.as('').send('POST', path, { headers, body });
      expectProblem(answer, status, code);
      expect(answer.body.error).toBe(error);
      expect(answer.body.error_description).toMatch(/^[ !#-[\]-~]{1,300}$/);
    });

    it('nothing elsewhere', async () => {
      for (const path of ['/users/', '/auth/password', '/auth/tokens']) {
        expect((await api.client.post(path, { x: 1 })).body).not.toHaveProperty('error');
      }
    });
  });
});
