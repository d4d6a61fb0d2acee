import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpCaller } from './http-call';

describe('a call of another server', () => {
  const MOST = { timeoutMs: 5_000, maxBytes: 1_000 };
  let server: Server;
  let caller: HttpCaller;
  let url: string;
  let answer: RequestListener;
  let asked: IncomingMessage[];

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      asked.push(request);
      answer(request, response);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    caller = new HttpCaller(1);
  });
  afterEach(async () => {
    caller.close();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });

  const echo: RequestListener = (request, response) => {
    response.statusCode = 418;
    request.pipe(response);
  };

  it('brings status and body, over one connection', async () => {
    answer = echo;
    const call = (body: string) =>
      caller.call(`${url}/a?b=c`, { method: 'POST', headers: { 'X-Key': 'k' }, body, ...MOST });
    const answers = await Promise.all(['one', 'zwei €', ''].map(call));
    expect(answers.map(({ status, body }) => [status, body.toString()])).toEqual([
      [418, 'one'],
      [418, 'zwei €'],
      [418, ''],
    ]);
    expect(asked.map(({ method, url, headers }) => [method, url, headers['x-key']])).toEqual(
      Array(3).fill(['POST', '/a?b=c', 'k']),
    );
    expect(asked.map(({ headers }) => headers['content-length'])).toEqual(['3', '8', '0']);
    expect(new Set(asked.map(({ socket }) => socket.remotePort)).size).toBe(1);
  });

  it('does not follow elsewhere', async () => {
    answer = (_, response) => response.writeHead(302, { Location: '/b' }).end();
    await expect(caller.call(url, { method: 'GET', ...MOST })).resolves.toMatchObject({ status: 302 });
    expect(asked).toHaveLength(1);
  });

  it.each<[string, RequestListener]>([
    ['nothing is said', () => undefined],
    ['the answer does not end', (_, response) => response.write('begun')],
  ])('ends in time where %s', async (_what, listener) => {
    answer = listener;
    await expect(caller.call(url, { method: 'GET', ...MOST, timeoutMs: 50 })).rejects.toThrow(
      'no answer within 50 ms',
    );
    answer = echo;
    await expect(caller.call(url, { method: 'GET', ...MOST })).resolves.toMatchObject({ status: 418 });
  });

  it('is not sent any more once its time ran out for lack of a connection', async () => {
    let goOn: () => void = () => undefined;
    answer = (_, response) => (goOn = () => response.end());
    const first = caller.call(`${url}/first`, { method: 'GET', ...MOST });
    await expect(caller.call(`${url}/late`, { method: 'GET', ...MOST, timeoutMs: 50 })).rejects.toThrow(
      'no answer within 50 ms',
    );
    goOn();
    await first;
    answer = echo;
    await caller.call(`${url}/next`, { method: 'GET', ...MOST });
    expect(asked.map((request) => request.url)).toEqual(['/first', '/next']);
  });

  it('refuses an answer that is too long', async () => {
    answer = (_, response) => response.end('x'.repeat(1_001));
    await expect(caller.call(url, { method: 'GET', ...MOST })).rejects.toThrow(
      'an answer of more than 1000 bytes',
    );
  });

  it('fails where the answer breaks off', async () => {
    answer = (request, response) => {
      response.writeHead(200, { 'Content-Length': 10 }).write('half');
      setTimeout(() => request.socket.destroy(), 20);
    };
    await expect(caller.call(url, { method: 'GET', ...MOST })).rejects.toThrow('other side closed');
  });

  it('fails where nobody listens', async () => {
    const { port } = server.address() as AddressInfo;
    await new Promise((closed) => server.close(closed));
    await expect(caller.call(`http://127.0.0.1:${port}`, { method: 'GET', ...MOST })).rejects.toThrow(
      'ECONNREFUSED',
    );
    server.listen(0);
  });

  it('fails when the caller closes', async () => {
    answer = () => caller.close();
    await expect(caller.call(url, { method: 'GET', ...MOST })).rejects.toThrow();
  });
});
