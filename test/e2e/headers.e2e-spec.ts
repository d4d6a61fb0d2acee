import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { startTestApi, type TestApi } from '../support/api';
import type { Answer } from '../support/client';
import { DATA_HEADERS } from '../support/data-headers';
import { expectProblem } from '../support/problems';

const SHOP = 'https://shop.example.com';

describe('the headers of every answer', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi({ CORS_ORIGINS: `${SHOP}, http://localhost:3000` });
  });
  afterAll(() => api.stop());

  it('tell browsers not to run, frame, sniff or keep what is data', async () => {
    for (const path of ['/', '/events/0', '/events/999999', '/events?limit=0', '/nothing', '/health/live']) {
      const { headers } = await api.client.get(path);
      expect({ path, ...Object.fromEntries(headers) }).toMatchObject({ path, ...DATA_HEADERS });
    }
  });

  it('let pages of the documentation load what they are made of over plain HTTP, and nothing from elsewhere', async () => {
    const page = await api.client.get('/docs');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/(^|;)script-src 'self'(;|$)/);
    expect(policy).toMatch(/(^|;)default-src 'self'(;|$)/);
    expect(policy).not.toMatch(/upgrade-insecure-requests|unsafe-eval|script-src[^;]*unsafe-inline/);
    expect(page.body).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>\s*\S/);
    const scripts = [...String(page.body).matchAll(/<script src="\.?([^"]+)"/g)].map(([, path]) => path);
    expect(scripts).not.toEqual([]);
    for (const path of scripts) {
      const { status, headers } = await api.client.get(new URL(path ?? '', 'http://x/').pathname);
      expect([path, status, headers.get('content-type')]).toEqual([
        path,
        200,
        expect.stringMatching(/javascript/),
      ]);
      expect(headers.get('cache-control')).not.toBe('no-store');
    }
  });

  it('insist on HTTPS only where a trusted proxy says that it is spoken', async () => {
    const https = { 'X-Forwarded-Proto': 'https' };
    expect((await api.client.get('/', https)).headers.get('strict-transport-security')).toBeNull();
    const proxied = await startTestApi({
      DATABASE_URL: api.settings.DATABASE_URL ?? '',
      TRUST_PROXY: '127.0.0.0/8',
    });
    expect((await proxied.client.get('/')).headers.get('strict-transport-security')).toBeNull();
    expect((await proxied.client.get('/', https)).headers.get('strict-transport-security')).toMatch(
      /^max-age=\d{8}/,
    );
    await proxied.stop();
  });

  describe('to other origins', () => {
    const preflight = (origin: string) =>
      api.client.as('').send('OPTIONS', '/tickets/', {
        headers: {
          Origin: origin,
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'authorization,content-type,idempotency-key',
        },
      });

    it('let pages of the allowed ones call with a token, and read what they need', async () => {
      const { status, headers } = await preflight(SHOP);
      expect(status).toBe(204);
      expect(headers.get('access-control-allow-origin')).toBe(SHOP);
      expect(headers.get('access-control-allow-methods')).toBe('GET,HEAD,POST,PATCH,DELETE');
      expect(headers.get('access-control-allow-headers')).toMatch(
        /^Authorization,Content-Type,Idempotency-Key,/,
      );
      expect(headers.get('access-control-allow-credentials')).toBeNull();
      const answer = await api.client.get('/events', { Origin: SHOP });
      expect(answer.headers.get('access-control-allow-origin')).toBe(SHOP);
      expect(answer.headers.get('vary')).toMatch(/Origin/);
      expect(answer.headers.get('access-control-expose-headers')).toMatch(/Link.*Location.*RateLimit/);
    });

    it.each(['https://shop.example.com.evil.example', 'http://shop.example.com', 'null'])(
      'say nothing to %s',
      async (origin) => {
        for (const { headers } of [
          await preflight(origin),
          await api.client.get('/events', { Origin: origin }),
        ]) {
          expect(headers.get('access-control-allow-origin')).toBeNull();
        }
      },
    );

    it('say nothing to any where none is allowed', async () => {
      const closed = await startTestApi({ DATABASE_URL: api.settings.DATABASE_URL ?? '' });
      const { headers } = await closed.client.get('/events', { Origin: SHOP });
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
      expectProblem(await closed.client.send('OPTIONS', '/events'), 405, 'method_not_allowed');
      await closed.stop();
    });
  });
});

describe('what is refused before it is a request', () => {
  let api: TestApi;
  let server: Server;

  beforeAll(async () => {
    api = await startTestApi();
    server = api.app.getHttpServer();
  });
  afterAll(() => api.stop());

  it.each<[what: string, status: number, code: string, sent: string]>([
    ['is no HTTP', 400, 'malformed_request', 'EHLO example.com\r\n\r\n'],
    ['has no length', 400, 'malformed_request', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n'],
    [
      'has a large address',
      431,
      'headers_too_large',
      `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    ],
    [
      'has large headers',
      431,
      'headers_too_large',
      `GET / HTTP/1.1\r\nCookie: ${'x'.repeat(20_000)}\r\n\r\n`,
    ],
    [
      'has more than 100 headers, of which one might be a key or a token',
      431,
      'headers_too_large',
      `GET / HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(100)}\r\n`,
    ],
    ['names no host', 400, 'malformed_request', 'GET / HTTP/1.1\r\n\r\n'],
    ['names two hosts', 400, 'malformed_request', 'GET / HTTP/1.1\r\nHost: x\r\nHOST: y\r\n\r\n'],
    [
      'expects what nobody can do',
      417,
      'expectation_failed',
      'GET / HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\n\r\n',
    ],
  ])(
    'because it %s is told so like anything else, and the connection closed',
    async (_, status, code, sent) => {
      const socket = connect(Number(new URL(api.client.url).port), '127.0.0.1');
      socket.write(sent);
      const answer = parse(await text(socket));
      expectProblem(answer, status, code);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        connection: 'close',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
    },
  );

  it('lets a hundred headers and the host of HTTP/1.0 pass', async () => {
    for (const sent of [
      `GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${'a: b\r\n'.repeat(98)}\r\n`,
      'GET /health/live HTTP/1.0\r\n\r\n',
    ]) {
      expect(await exchange(sent)).toMatch(/^HTTP\/1.1 200 /);
    }
  });

  it('closes a connection that asks for a tunnel', async () => {
    expect(await exchange('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n')).toBe('');
  });

  it('answers a request to speak another protocol as if it had not asked', async () => {
    const upgrade = 'Connection: Upgrade, close\r\nUpgrade: websocket\r\n';
    const answer = await exchange(`GET /health/live HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });

  /** Sends what is given, and answers all that comes back until the connection is closed. */
  async function exchange(sent: string): Promise<string> {
    const socket = connect(Number(new URL(api.client.url).port), '127.0.0.1');
    socket.write(sent);
    return await text(socket);
  }

  it('because it does not arrive in time is told so, too', async () => {
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const socket = connect(Number(new URL(api.client.url).port), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\n');
    const [far] = await accepted;
    // As Node does, which looks only every half a minute.
    server.emit('clientError', Object.assign(new Error(), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), far);
    expectProblem(parse(await text(socket)), 408, 'request_timeout');
  });
});

/** An answer as it comes over the connection, which is closed after it. */
function parse(answer: string): Answer {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const [line = '', ...headers] = head.split('\r\n');
  expect(Buffer.byteLength(body)).toBe(Number(/^content-length: (\d+)$/im.exec(head)?.[1]));
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) \w/.exec(line)?.[1]),
    headers: new Headers(headers.map((header) => header.split(': ') as [string, string])),
    body: JSON.parse(body),
  };
}
