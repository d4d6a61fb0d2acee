import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { startTestApi, type TestApi } from '../support/api';

const DOCUMENTATION = ['/openapi.json', '/docs', '/docs/errors', '/docs/swagger-ui-bundle.js'];

describe('the documentation as bytes', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  /** An answer as it comes over the wire (`fetch` would unpack it). */
  async function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
    const request = httpRequest(api.client.url + path, { method, headers });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
  }

  it.each(DOCUMENTATION)(
    '%s comes compressed to clients that take gzip, as it is to others',
    async (path) => {
      const plain = await get(path);
      const packed = await get(path, { 'Accept-Encoding': 'gzip, br' });
      const refusing = await get(path, { 'Accept-Encoding': 'gzip;q=0' });
      expect([plain, packed, refusing].map(({ headers }) => headers['content-encoding'])).toEqual([
        undefined,
        'gzip',
        undefined,
      ]);
      expect(packed.body.length).toBeLessThan(plain.body.length / 1.5);
      // Jest would compare byte by byte.
      expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
      expect(refusing.body.equals(plain.body)).toBe(true);
      for (const { headers, body } of [plain, packed]) {
        expect(headers).toMatchObject({
          vary: 'Accept-Encoding',
          'content-length': String(body.length),
          'cache-control': expect.stringMatching(/^public, (no-cache|max-age=\d+)$/),
          etag: plain.headers.etag,
        });
      }
    },
  );

  it.each(DOCUMENTATION)('%s is not sent again to a client that has it', async (path) => {
    const { headers } = await get(path);
    const again = await get(path, {
      'If-None-Match': `"other", ${headers.etag}`,
      'Cache-Control': 'no-cache',
    });
    expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, headers.etag]);
    expect((await get(path, { 'If-None-Match': '"other"' })).status).toBe(200);
    const head = await get(path, {}, 'HEAD');
    expect([head.status, head.body.length, head.headers['content-length']]).toEqual([
      200,
      0,
      headers['content-length'],
    ]);
  });

  it('is written once: no request serializes the document', async () => {
    const stringify = jest.spyOn(JSON, 'stringify');
    try {
      for (const path of DOCUMENTATION) expect((await get(path)).status).toBe(200);
      const sizes = stringify.mock.results.map(({ value }) => String(value).length);
      expect(Math.max(0, ...sizes)).toBeLessThan(10_000);
    } finally {
      stringify.mockRestore();
    }
  });

  it('stands in one place: Swagger UI fetches it', async () => {
    const { body } = await get('/docs/swagger-ui-init.js');
    expect(body.toString()).toContain(`url: '/openapi.json'`);
    expect(body.length).toBeLessThan(5_000);
  });
});
