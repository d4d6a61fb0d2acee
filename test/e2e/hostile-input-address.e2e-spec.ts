import { startTestApi, type TestApi } from '../support/api';
import { expectProblem } from '../support/problems';
import { stopSound } from '../support/raw-bodies';

describe('hostile input', () => {
  let api: TestApi;
  let user: { id: number };

  beforeAll(async () => {
    api = await startTestApi();
    user = await api.create.user({ location_latitude: 0, location_longitude: 0 });
  });
  afterAll(() => stopSound(api));

  const ID_PATHS: [path: (id: string) => string, method: string, pointer: string][] = [
    [(id) => `/users/${id}`, 'GET', '/user_id'],
    [(id) => `/users/${id}/tickets`, 'GET', '/user_id'],
    [(id) => `/events/${id}`, 'GET', '/event_id'],
    [(id) => `/tickets/${id}`, 'GET', '/ticket_id'],
    [(id) => `/tickets/${id}/pay`, 'POST', '/ticket_id'],
    [(id) => `/tickets/${id}/cancel`, 'POST', '/ticket_id'],
  ];

  describe('an id in the path', () => {
    it.each([
      '0',
      '-1',
      '+1',
      '1.0',
      '1.5',
      '1e3',
      '05',
      '0x1',
      '9007199254740992',
      '9223372036854775807',
      '9223372036854775808',
      `1${'0'.repeat(30)}`,
      '9'.repeat(5_000),
      'abc',
      'NaN',
      'null',
      'undefined',
      'true',
      'constructor',
      '__proto__',
      '1,2',
      '1;2',
      '1%00',
      '%00',
      '%001',
      '%20',
      '1%20',
      '%0a1',
      '1%0d%0aSet-Cookie:%20a=b',
      '%2e%2e%2f1',
      '%D9%A1',
      '%EF%BC%91',
      '%F0%9F%8E%BB',
      "1'%20OR%20'1'='1",
      '1);DROP%20TABLE%20users;--',
      '$1',
      '%7B%7D',
      '[object%20Object]',
    ])('%s is refused', async (id) => {
      for (const [path, method, pointer] of ID_PATHS) {
        expectProblem(await api.client.send(method, path(id)), 422, 'validation_failed', {
          pointers: [pointer],
        });
      }
    });

    it.each(['%zz', '%', '%f', '%ff', '%c0%80', '%ed%a0%80', '1%E0%A4'])(
      '%s, which can not be decoded, is refused',
      async (id) => {
        for (const [path, method] of ID_PATHS) {
          expectProblem(await api.client.send(method, path(id)), 422, 'validation_failed', {
            pointers: [''],
          });
        }
      },
    );

    it('that is the largest there can be is not found', async () => {
      for (const [path, method, pointer] of ID_PATHS) {
        const code = `${pointer.slice(1, -3)}_not_found`;
        expectProblem(await api.client.send(method, path('9007199254740991')), 404, code);
      }
    });
  });

  describe('an address', () => {
    it.each([2_000, 12_000])('of %d characters is answered', async (length) => {
      expectProblem(await api.client.get(`/${'a'.repeat(length)}`), 404, 'route_not_found');
      expectProblem(await api.client.get(`/events?cursor=${'a'.repeat(length)}`), 422, 'validation_failed');
      expectProblem(await api.client.get(`/events?${'a'.repeat(length)}=1`), 422, 'validation_failed');
      expectProblem(await api.client.get(`/events/1${'/'.repeat(length)}`), 404, 'route_not_found');
    });

    it('too long for any server is refused before it is read', async () => {
      expectProblem(await api.client.get(`/${'a'.repeat(20_000)}`), 431, 'headers_too_large');
    });

    it('with a thousand parameters is refused', async () => {
      const query = Array.from({ length: 1_000 }, (_, i) => `p${i}`).join('&');
      expectProblem(await api.client.get(`/events?${query}`), 422, 'validation_failed');
    });

    it.each([
      ['limit%00=5', '/limit\0'],
      ['%00', '/\0'],
      ['limit[]=5', '/limit[]'],
      ['limit[gt]=5', '/limit[gt]'],
      ['LIMIT=5', '/LIMIT'],
      ['a/b~c=5', '/a~1b~0c'],
      ['__proto__=5', '/__proto__'],
      ['__proto__[limit]=5', '/__proto__[limit]'],
      ['constructor=5', '/constructor'],
      ['hasOwnProperty=5', '/hasOwnProperty'],
      ['toString=5', '/toString'],
      ['%ff=5', '/\ufffd'],
      ['=5', '/'],
    ])('with the unknown parameter %s is refused wherever it is sent', async (query, pointer) => {
      for (const path of ['/events', `/users/${user.id}/tickets`, '/events/1', '/']) {
        expectProblem(await api.client.get(`${path}?${query}`), 422, 'validation_failed', {
          pointers: [pointer],
        });
      }
    });

    it.each([
      'limit=%00',
      'limit=5%00',
      'cursor=%00',
      'starts_after=%00',
      'starts_before=2030-01-01T00:00:00Z%00',
    ])('with a NUL in ?%s is refused', async (query) =>
      expectProblem(await api.client.get(`/events?${query}`), 422, 'validation_failed'),
    );

    it.each(['limit=1&limit=2', 'cursor=a&cursor=a', 'starts_after=a&starts_after=b', 'limit=1&limit'])(
      'with a parameter twice, ?%s, is refused',
      async (query) => expectProblem(await api.client.get(`/events?${query}`), 422, 'validation_failed'),
    );
  });
});
