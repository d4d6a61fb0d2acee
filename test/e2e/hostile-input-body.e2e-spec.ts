import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { startTestApi, type TestApi } from '../support/api';
import { userBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { BODIES, POSTS, rawSender, stopSound } from '../support/raw-bodies';

const MEGABYTE = 1_000_000;
const manyFields = (n: number) => Array.from({ length: n }, (_, i) => `"f${i}":0`).join();
const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('hostile input', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => stopSound(api));

  const sendRaw = rawSender(() => api);

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
