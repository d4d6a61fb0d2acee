import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { startTestApi, type TestApi } from '../support/api';
import type { Client } from '../support/client';
import { eventBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { tokenOf } from '../support/tokens';

const LIMIT = 5;
const MALFORMED = '{';
const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('the body of a request', () => {
  let api: TestApi;
  let stranger: Client;

  beforeEach(async () => {
    api = await startTestApi({ RATE_LIMIT_PER_MINUTE: String(LIMIT) });
    stranger = api.client.as('');
  });
  afterEach(() => api.stop());

  const send = (client: Client, path: string, body = MALFORMED) =>
    client.send('POST', path, { headers: JSON_TYPE, body });

  /** Sends the head of a request alone, of which a body should follow; answers what comes back, up to `end`. */
  async function sendHead(path: string, headers: Record<string, string | number>) {
    const socket = connect(Number(new URL(api.client.url).port), '127.0.0.1');
    const lines = Object.entries({ Host: 'x', ...JSON_TYPE, ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    socket.write([`POST ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return { socket, answer: answer.toString() };
  }

  it('is not looked at before it is known who is calling', async () => {
    expectProblem(await send(stranger, '/events/'), 401, 'unauthenticated');
    expectProblem(await send(api.client, '/events/'), 422, 'malformed_json');
  });

  it('is not looked at where there is nothing, or where another method is wanted', async () => {
    expectProblem(await send(api.client, '/nothing'), 404, 'route_not_found');
    expectProblem(
      await api.client.send('PUT', '/events/', { headers: JSON_TYPE, body: MALFORMED }),
      405,
      'method_not_allowed',
    );
  });

  it('of more values than any route takes is refused before it is parsed', async () => {
    const parse = jest.spyOn(JSON, 'parse');
    const scans = (fields: number) =>
      JSON.stringify({
        check_ins: Array.from({ length: 500 }, (_, scan) =>
          Object.fromEntries(Array.from({ length: fields }, (_, i) => [`${scan}x${i}`, 0])),
        ),
      });
    const event = await api.create.event();
    for (const [path, fields, most] of [
      ['/events/', 5, 1_000],
      [`/events/${event.id}`, 5, 1_000],
      [`/events/${event.id}/check-ins/batch`, 41, 10_000],
    ] as const) {
      const body = scans(fields);
      const method = path === `/events/${event.id}` ? 'PATCH' : 'POST';
      const answer = await api.client.send(method, path, { headers: JSON_TYPE, body });
      expectProblem(answer, 422, 'validation_failed', { pointers: [''] });
      expect(answer.body.errors[0].detail).toBe(`has more than ${most} values`);
      expect(parse).not.toHaveBeenCalledWith(body);
    }
    const body = scans(15);
    const path = `/events/${event.id}/check-ins/batch`;
    expect(await api.client.send('POST', path, { headers: JSON_TYPE, body })).toMatchObject({ status: 200 });
    expect(parse).toHaveBeenCalledWith(body);
    parse.mockRestore();
  });

  it('is not looked at for a caller over the limit', async () => {
    const user = api.client.as(tokenOf(7));
    for (let i = 0; i < LIMIT; i++) expectProblem(await send(user, '/events/'), 422, 'malformed_json');
    expectProblem(await send(user, '/events/'), 429, 'rate_limited');
  });

  it('is not looked at for credentials from an address over the limit', async () => {
    for (let i = 0; i < LIMIT; i++) expectProblem(await send(stranger, '/auth/token'), 422, 'malformed_json');
    expectProblem(await send(stranger, '/auth/token'), 429, 'rate_limited');
  });

  it.each([
    ['without a token', '/events/', 401, { 'Content-Length': 100_000 }],
    ['to no route', '/nothing', 404, { 'Content-Length': 1e12 }],
    ['whose length is not known', '/events/', 401, { 'Transfer-Encoding': 'chunked' }],
  ])('%s is not waited for, and the connection closed', async (_what, path, status, headers) => {
    const { socket, answer } = await sendHead(path, headers);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toMatch(/^connection: close\r$/im);
    await closed(socket);
  });

  it('that is too large is not waited for', async () => {
    const Authorization = `Bearer ${tokenOf(7)}`;
    const { socket, answer } = await sendHead('/events/', { Authorization, 'Content-Length': 600_000 });
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    await closed(socket);
  });

  it('that is short and not wanted leaves the connection to the next request', async () => {
    const body = JSON.stringify(eventBody());
    const { socket, answer } = await sendHead('/events/', { 'Content-Length': body.length });
    expect(answer).toMatch(/^HTTP\/1.1 401 /);
    socket.write(`${body}GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n`);
    const [next] = (await once(socket, 'data')) as [Buffer];
    expect(next.toString()).toMatch(/^HTTP\/1.1 200 /);
    socket.destroy();
  });

  it('is asked for only where it is wanted, of a client that waits', async () => {
    const Expect = '100-continue';
    const refused = await sendHead('/events/', { Expect, 'Content-Length': 100 });
    expect(refused.answer).toMatch(/^HTTP\/1.1 401 /);
    await closed(refused.socket);
    const body = JSON.stringify(eventBody());
    const Authorization = `Bearer ${(await api.client.post('/users/', { name: 'A', email: 'a@example.com' })).body.access_token}`;
    const { socket, answer } = await sendHead('/events/', {
      Expect,
      Authorization,
      'Content-Length': body.length,
    });
    expect(answer).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write(body);
    const [created] = (await once(socket, 'data')) as [Buffer];
    expect(created.toString()).toMatch(/^HTTP\/1.1 201 /);
    socket.destroy();
  });

  it('that never ends is not read for ever', async () => {
    const Authorization = `Bearer ${tokenOf(7)}`;
    const socket = connect(Number(new URL(api.client.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    const head = [
      `POST /events/ HTTP/1.1`,
      'Host: x',
      `Authorization: ${Authorization}`,
      'Content-Type: application/json',
    ];
    socket.write([...head, 'Transfer-Encoding: chunked', '', ''].join('\r\n'));
    const pouring = setInterval(() => socket.write(`8000\r\n${' '.repeat(0x8000)}\r\n`), 1);
    try {
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1.1 413 /);
      await closed(socket);
    } finally {
      clearInterval(pouring);
      socket.destroy();
    }
  });
});

async function closed(socket: Socket): Promise<void> {
  socket.resume();
  socket.on('error', () => undefined);
  if (!socket.closed) await once(socket, 'close');
}
