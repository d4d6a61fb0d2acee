import { startTestApi, type TestApi } from '../support/api';
import { expectProblem } from '../support/problems';
import { tokenOf } from '../support/tokens';

describe('identity', () => {
  let api: TestApi;
  let ada: { id: number };

  beforeAll(async () => {
    api = await startTestApi();
    ada = await api.create.user();
  });
  afterAll(() => api.stop());

  describe('an access token', () => {
    it.each([
      ['with the scheme in small letters', (token: string) => `bearer ${token}`, 200],
      ['with two spaces', (token: string) => `Bearer  ${token}`, 200],
      ['without a scheme', (token: string) => token, 401],
      ['with another scheme', (token: string) => `Basic ${token}`, 401],
      ['twice', (token: string) => `Bearer ${token}, Bearer ${token}`, 401],
      ['with more behind it', (token: string) => `Bearer ${token} x`, 401],
      ['of nothing', () => 'Bearer ', 401],
      ['of another secret', (token: string) => `Bearer ${token.slice(0, -4)}AAAA`, 401],
    ])('%s', async (_what, headerOf, status) => {
      const Authorization = headerOf(tokenOf(ada.id));
      const answer = await api.client.get(`/users/${ada.id}`, { Authorization });
      expect(answer.status).toBe(status);
      if (status === 200) return;
      expectProblem(answer, 401, 'unauthenticated');
      expect(answer.headers.get('www-authenticate')).toBe(
        'Bearer realm="Tixxety API", error="invalid_token"',
      );
    });

    it('that is no good keeps nobody from what is open', async () => {
      expect((await api.client.as('x.y.z').get('/events/')).status).toBe(200);
    });

    it('is asked for before anything else is looked at', async () => {
      const nobody = api.client.as('');
      for (const answer of [
        await nobody.post('/tickets/', { event_id: 'x' }),
        await nobody.get('/tickets/x'),
        await nobody.get('/users/for-you?limit=0'),
        await nobody.get('/tickets/1?x=1'),
      ]) {
        expectProblem(answer, 401, 'unauthenticated');
      }
    });
  });
});
