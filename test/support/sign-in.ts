import { startTestApi, type TestApi } from './api';
import type { Answer, Client } from './client';
import { userBody } from './factories';

export const PASSWORD = 'notes on the engine';

/** What signing in answers. */
export interface SignedIn {
  user_id: number;
  access_token: string;
  refresh_token: string;
}

/** Signs people up and in at an API, as they do it themselves. */
export function doorOf(client: Client) {
  const nobody = client.as('');
  const tryToSignIn = (email: string, password: string): Promise<Answer> =>
    nobody.post('/auth/token', { grant_type: 'password', username: email, password });
  return {
    signUp: async (password: string | null = PASSWORD): Promise<SignedIn & { email: string }> =>
      (await nobody.post('/users/', { ...userBody(), password })).body,
    tryToSignIn,
    signIn: async (email: string, password = PASSWORD): Promise<SignedIn> =>
      (await tryToSignIn(email, password)).body,
    renew: (refresh_token: string): Promise<Answer> =>
      nobody.post('/auth/token', { grant_type: 'refresh_token', refresh_token }),
    as: ({ access_token }: { access_token: string }): Client => client.as(access_token),
  };
}

/** The session of a refresh token. */
export const sessionIdOf = ({ refresh_token }: SignedIn) => refresh_token.split('.')[0];

/** What a suite about accounts begins with: an API, and the way in. */
export function accountSuite() {
  let api: TestApi;
  let door: ReturnType<typeof doorOf>;

  beforeAll(async () => {
    api = await startTestApi();
    door = doorOf(api.client);
  });
  afterAll(() => api.stop());

  return {
    get api() {
      return api;
    },
    get door() {
      return door;
    },
  };
}
