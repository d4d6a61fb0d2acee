import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { startTestApi, type TestApi } from '../support/api';
import type { Answer } from '../support/client';
import { eventBody, userBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { titled } from '../support/tables';

const MEGABYTE = 1_000_000;
const manyFields = (n: number) => Array.from({ length: n }, (_, i) => `"f${i}":0`).join();
const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('hostile input', () => {
  let api: TestApi;
  let user: { id: number };

  beforeAll(async () => {
    api = await startTestApi();
    user = await api.create.user({ location_latitude: 0, location_longitude: 0 });
  });
  afterAll(async () => {
    // The API is as well as before, after each of these.
    expect((await api.client.get('/health/ready')).status).toBe(200);
    expect((await api.client.post('/events/', eventBody())).status).toBe(201);
    await api.stop();
  });

  /** Sends a body as it is. */
  const sendRaw = (
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    type = 'application/json',
    headers: object = {},
  ) =>
    api.client.send('POST', path, {
      headers: { ...(type !== '' && { 'Content-Type': type }), ...headers },
      body,
    });
  const BODIES = {
    '/users/': userBody,
    '/events/': eventBody,
    '/tickets/': () => ({ user_id: 1, event_id: 1 }),
  };
  const POSTS = Object.keys(BODIES) as (keyof typeof BODIES)[];
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

  describe('a body', () => {
    it.each([
      ['nothing but a brace', '{'],
      ['a comma too many', '{"name": "Ada",}'],
      ['single quotes', "{'name': 'Ada'}"],
      ['two values', '{} {}'],
      ['a comment', '{} // nothing'],
      ['NaN', '{"total_tickets": NaN}'],
      ['a number that begins with 0', '{"user_id": 01}'],
      ['a line break within text', '{"name": "A\nda"}'],
      ['a NUL', '\0'],
      ['a form', 'name=Ada&email=ada@example.com'],
      ['XML', '<user/>'],
      ['a lone surrogate in UTF-8', Buffer.from('{"name":"\xed\xa0\x80"}', 'latin1')],
      ['a byte that is not UTF-8', Buffer.from('{"name":"\xff"}', 'latin1')],
      ['an overlong NUL', Buffer.from('{"name":"\xc0\x80"}', 'latin1')],
      ['half a character', Buffer.from('{"name":"\xf0\x9f', 'latin1')],
      ['UTF-16', Buffer.from('\ufeff{"name":"Ada"}', 'utf16le')],
    ])('of %s is malformed', async (_what, body) => {
      for (const path of [...POSTS, '/tickets/1/pay']) {
        expectProblem(await sendRaw(path, body), 422, 'malformed_json');
      }
    });

    it.each(['null', '5', '"text"', 'true', '[]', '[{}]', '[[]]', '{}', ''])(
      'of %s is refused',
      async (body) => {
        for (const path of POSTS) {
          const answer = await sendRaw(path, body);
          expectProblem(answer, 422, answer.body.code);
          expect(['malformed_json', 'validation_failed']).toContain(answer.body.code);
        }
      },
    );

    it('that is left out is refused', async () => {
      for (const path of POSTS) {
        expectProblem(await api.client.post(path), 422, 'validation_failed');
      }
    });

    it.each([
      ['a long key over thousands of values', `{"${'k'.repeat(16_000)}":[${'{},'.repeat(5_300)}{}]}`],
      ['a list of thousands of venues', `{"venue":[${'{"latitude":""},'.repeat(1_900)}{}]}`],
      ['thousands of unknown fields', `{${manyFields(2_500)}}`],
      ['long unknown fields', `{"${'\\u0000'.repeat(5_000)}":0,${manyFields(100)}}`],
    ])('of %s is refused in fewer bytes than it has', async (_what, body) => {
      expect(body.length).toBeLessThan(32_768);
      for (const path of [...POSTS, '/tickets/1/pay']) {
        const answer = await sendRaw(path, body);
        expectProblem(answer, 422, 'validation_failed');
        expect(JSON.stringify(answer.body).length).toBeLessThan(body.length);
      }
    });

    it.each([
      ['a megabyte of text', JSON.stringify({ title: 'a'.repeat(MEGABYTE) })],
      [
        'a megabyte of keys',
        JSON.stringify(Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`key${i}`, 0]))),
      ],
      ['a megabyte of brackets', '['.repeat(MEGABYTE)],
      ['a megabyte of blanks', ' '.repeat(MEGABYTE)],
    ])('of %s is too large', async (_what, body) => {
      for (const path of [...POSTS, '/tickets/1/pay']) {
        expectProblem(await sendRaw(path, body), 413, 'body_too_large');
      }
      expectProblem(await sendRaw('/nothing', body), 404, 'route_not_found');
    });

    it('that is a megabyte in pieces of unknown number is too large', async () => {
      const pieces = Array.from({ length: 100 }, () => 'a'.repeat(MEGABYTE / 100));
      const answer = await sendPieces('POST', '/users/', pieces, JSON_TYPE);
      expect(answer).toEqual({ status: 413, code: 'body_too_large' });
    });

    it.each(['gzip', 'deflate', 'br', 'GZIP', 'gzip, identity', 'snappy'])(
      'that is packed as %s is of no use: it is not unpacked',
      async (encoding) => {
        const body = gzipSync(JSON.stringify({ ...userBody(), name: 'a'.repeat(10 * MEGABYTE) }));
        expect(body.length).toBeLessThan(20_000);
        const headers = { 'Content-Encoding': encoding };
        expectProblem(
          await sendRaw('/users/', body, 'application/json', headers),
          415,
          'unsupported_media_type',
        );
      },
    );

    it('that says that it is not packed is taken', async () => {
      const headers = { 'Content-Encoding': 'identity' };
      const body = JSON.stringify(userBody());
      expect((await sendRaw('/users/', body, 'application/json', headers)).status).toBe(201);
    });

    it.each([
      'text/plain',
      'text/json',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=b',
      'application/problem+json',
      'application/xml',
      'application/jsonp',
      'application',
      '*/*',
      'application/json; charset=latin1',
      'application/json; charset=klingon',
      '',
    ])('of type "%s" is of no use', async (type) => {
      for (const path of POSTS) {
        const body = Buffer.from(JSON.stringify(BODIES[path]()));
        expectProblem(await sendRaw(path, body, type), 415, 'unsupported_media_type');
      }
    });

    it('of a form is what its charset says, of which only UTF-8 is taken', async () => {
      const body = 'grant_type=password&username=%E2%82%AC&password=x';
      const type = 'application/x-www-form-urlencoded';
      expectProblem(await sendRaw('/auth/token', body, type), 401, 'invalid_credentials');
      expectProblem(await sendRaw('/auth/token', body, `${type}; charset=UTF-8`), 401, 'invalid_credentials');
      for (const charset of ['iso-8859-1', 'utf-16', 'windows-1252']) {
        const answer = await sendRaw('/auth/token', body, `${type}; charset=${charset}`);
        expectProblem(answer, 415, 'unsupported_media_type');
      }
    });

    it.each(['null', '5', '"text"', '[5]'])('of %s is refused where none is wanted', async (body) => {
      expectProblem(await sendRaw('/tickets/1/pay', body), 422, 'validation_failed');
    });

    it.each(['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON;charset="UTF-8"'])(
      'of type %s is taken',
      async (type) => expect((await sendRaw('/users/', JSON.stringify(userBody()), type)).status).toBe(201),
    );

    it('may begin with a byte order mark', async () => {
      expect((await sendRaw('/users/', `\ufeff${JSON.stringify(userBody())}`)).status).toBe(201);
    });

    it('beside a GET is refused like any other', async () => {
      const ask = (piece: string, headers: object) => sendPieces('GET', '/events/1', [piece], headers);
      expect(await ask('{"a": 1}', JSON_TYPE)).toEqual({ status: 422, code: 'validation_failed' });
      expect(await ask('{', JSON_TYPE)).toEqual({ status: 422, code: 'malformed_json' });
      expect(await ask('a', {})).toEqual({ status: 415, code: 'unsupported_media_type' });
    });

    it.each([
      ['arrays', '['.repeat(15_000) + ']'.repeat(15_000)],
      ['objects', '{"a":'.repeat(5_000) + '1' + '}'.repeat(5_000)],
    ])('of %s in one another, thousands deep, is refused', async (_what, value) => {
      for (const body of [
        value,
        `{"name":${value}}`,
        `{"venue":${value}}`,
        `{"venue":{"latitude":${value}}}`,
      ]) {
        for (const path of POSTS) expectProblem(await sendRaw(path, body), 422, 'validation_failed');
      }
    });
  });

  describe('a field', () => {
    const INHERITED = [
      '__proto__',
      'constructor',
      'prototype',
      'hasOwnProperty',
      'toString',
      'valueOf',
      'isPrototypeOf',
      '__defineGetter__',
    ];

    it.each([
      ...INHERITED,
      'then',
      'toJSON',
      'length',
      '',
      ' name',
      'Name',
      'name\0',
      'a/b',
      '~',
      '$ne',
      '🎻',
      'is_admin',
    ])('named "%s" is not known', async (name) => {
      const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      for (const path of POSTS) {
        const body = JSON.stringify(BODIES[path]()).replace(/}$/, `,${JSON.stringify(name)}:{"admin":true}}`);
        expectProblem(await sendRaw(path, body), 422, 'validation_failed', { pointers: [pointer] });
      }
      const venue = JSON.stringify({ ...eventBody(), venue: 0 }).replace(
        '"venue":0',
        `"venue":{${JSON.stringify(name)}:0}`,
      );
      expectProblem(await sendRaw('/events/', venue), 422, 'validation_failed', {
        pointers: [`/venue${pointer}`],
      });
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect('admin' in {}).toBe(false);
    });

    const TEXTS = [
      ['/users/', 'name'],
      ['/users/', 'email'],
      ['/users/', 'location_address'],
      ['/events/', 'title'],
      ['/events/', 'description'],
      ['/events/', 'start_time'],
      ['/events/', 'end_time'],
      ['/events/', 'venue.address'],
    ] as const;
    const NUMBERS = [
      ['/users/', 'location_latitude'],
      ['/users/', 'location_longitude'],
      ['/events/', 'total_tickets'],
      ['/events/', 'venue.latitude'],
      ['/events/', 'venue.longitude'],
      ['/tickets/', 'user_id'],
      ['/tickets/', 'event_id'],
    ] as const;

    /** The route's body with the raw JSON as the value of a field, which may lie in another. */
    const bodyWith = (path: keyof typeof BODIES, field: string, raw: string) => {
      const MARK = '@@';
      const [name, inner] = field.split('.') as [string, string?];
      const coordinates = { latitude: 0, longitude: 0, location_latitude: 0, location_longitude: 0 };
      const among = Object.fromEntries(
        Object.entries(coordinates).filter(([key]) => key.startsWith('location') === (path === '/users/')),
      );
      const body =
        inner === undefined
          ? { ...BODIES[path](), ...(path === '/users/' && among), [name]: MARK }
          : { ...BODIES[path](), [name]: { ...among, [inner]: MARK } };
      return JSON.stringify(body).replace(`"${MARK}"`, () => raw);
    };
    const pointerOf = (field: string) => `/${field.replace('.', '/')}`;

    it.each(TEXTS)(
      '%s %s takes no text that can not be stored, and nothing that is no text',
      async (path, field) => {
        for (const raw of [
          '"a\\u0000b"',
          '"\\u0000"',
          '"\\ud83c"',
          '"a\\udfbb"',
          '"\\udfbb\\ud83c"',
          `"${'a'.repeat(10_001)}"`,
          '5',
          '0',
          'true',
          'false',
          '[]',
          '["a"]',
          '{}',
          '{"length": 3}',
          '{"toString": null}',
        ]) {
          const answer = await sendRaw(path, bodyWith(path, field, raw));
          const inherited = raw.includes('toString') ? '/toString' : '';
          expectProblem(answer, 422, 'validation_failed', { pointers: [pointerOf(field) + inherited] });
        }
      },
    );

    it.each(NUMBERS)(
      '%s %s takes no number out of range, and nothing that is no number',
      async (path, field) => {
        for (const raw of [
          '1e400',
          '-1e400',
          '1e308',
          '-1e30',
          '9223372036854775808',
          '123456789012345678901234567890',
          '"5"',
          '""',
          'true',
          'false',
          '[]',
          '[5]',
          '{}',
        ]) {
          expectProblem(await sendRaw(path, bodyWith(path, field, raw)), 422, 'validation_failed', {
            pointers: [pointerOf(field)],
          });
        }
      },
    );

    it.each(
      titled([
        ['the smallest number', 5e-324],
        ['minus nothing', -0],
        ['all digits there are', 12.345678901234567],
      ]),
    )('with %s %s as a coordinate is kept as it is', async (_what, _title, value) => {
      const created = await api.create.event({ venue: { latitude: value, longitude: value } });
      const shown = (await api.client.get(`/events/${created.id}`)).body;
      for (const { venue } of [created, shown]) {
        expect(venue.latitude + 0).toBe(Number(value) + 0);
        expect(venue.longitude + 0).toBe(Number(value) + 0);
      }
    });
  });

  describe('anything at all', () => {
    /** `FUZZ_RUNS=10000 npx jest hostile-input` looks harder. */
    const RUNS = { numRuns: Number(process.env.FUZZ_RUNS ?? 40) };
    const FINE = [200, 201];
    const REFUSED = [404, 405, 409, 413, 415, 422];

    function expectAnswer(answer: Answer): void {
      if (FINE.includes(answer.status)) return;
      expect(REFUSED).toContain(answer.status);
      expectProblem(answer, answer.status, answer.body.code);
    }

    /** `unit: 'binary'` says the same, and takes two seconds to count them all. */
    const anyCharacter = fc
      .nat(0x10f7ff)
      .map((point) => String.fromCodePoint(point < 0xd800 ? point : point + 0x800));
    /** Any characters, and any UTF-16 units: halves of surrogate pairs, too. */
    const anyText = fc.oneof(
      fc.string({ unit: anyCharacter, maxLength: 30 }),
      fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 30 }),
    );
    const anyValue = fc.oneof(
      fc.jsonValue(),
      fc.integer(),
      fc.double(),
      anyText,
      fc.date({ noInvalidDate: true }).map((date) => date.toJSON()),
    );
    const anyBody = (names: string[]) =>
      fc.oneof(
        fc.jsonValue(),
        fc.dictionary(fc.oneof(fc.constantFrom(...names), anyText), anyValue, { maxKeys: 8 }),
        fc.record(Object.fromEntries(names.map((name) => [name, anyValue])), { requiredKeys: [] }),
      );

    it.each([
      ['/users/', 'name email location_address location_latitude location_longitude'],
      ['/events/', 'title description start_time end_time total_tickets venue'],
      ['/tickets/', 'user_id event_id'],
    ])('as the body of POST %s is answered, never with a 5xx', async (path, names) => {
      await fc.assert(
        fc.asyncProperty(anyBody(names.split(' ')), async (body) =>
          expectAnswer(await api.client.post(path, body)),
        ),
        RUNS,
      );
    });

    it('as bytes of a body is answered, never with a 5xx', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...POSTS), async (bytes, path) =>
          expectAnswer(await sendRaw(path, bytes)),
        ),
        RUNS,
      );
    });

    it('as an address is answered, never with a 5xx', async () => {
      const segment = fc.oneof(
        fc.constantFrom('users', 'events', 'tickets', 'for-you', 'pay', 'cancel', 'docs', '1', '%', '..'),
        anyText.map((text) => encodeURIComponent(text.toWellFormed())),
        fc.string({ unit: 'grapheme-ascii', maxLength: 10 }),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom('GET', 'POST', 'DELETE'),
          fc.array(segment, { maxLength: 5 }),
          async (method, segments) => {
            const path = new URL(`${api.client.url}/${segments.join('/')}`).href.slice(api.client.url.length);
            expectAnswer(await api.client.send(method, path));
          },
        ),
        RUNS,
      );
    });

    it('as a query is answered, never with a 5xx', async () => {
      const names = ['limit', 'cursor', 'starts_after', 'starts_before', 'user_id', 'max_distance_km'];
      const key = fc.array(fc.oneof(fc.integer(), fc.double(), anyText), { maxLength: 3 });
      const value = fc.oneof(
        fc.integer().map(String),
        anyText,
        fc.date({ noInvalidDate: true }).map((date) => date.toJSON()),
        key.map((parts) => Buffer.from(JSON.stringify(parts)).toString('base64url')),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom('/events', '/users/for-you', `/users/${user.id}/tickets`),
          fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 3 }),
          async (path, parameters) => {
            expectAnswer(await api.client.get(`${path}?${new URLSearchParams(parameters).toString()}`));
          },
        ),
        RUNS,
      );
    });
  });

  /** Sends what `fetch` would not: a body beside a GET, a body without a length. */
  async function sendPieces(method: string, path: string, pieces: string[], headers: object) {
    const framing = { 'Transfer-Encoding': 'chunked', Connection: 'close' };
    const request = httpRequest(api.client.url + path, { method, headers: { ...headers, ...framing } });
    for (const piece of pieces) request.write(piece);
    request.end();
    // The answer may come before all is sent.
    request.on('error', () => undefined);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const { code } = (await json(response)) as { code: string };
    return { status: response.statusCode, code };
  }
});
