import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { factoriesFor } from '../support/factories';
import { startMain, type RunningProcess } from '../support/processes';
import { logLines, type LogLine } from '../support/log-lines';
import { TEST_ADMIN, tokenOf } from '../support/tokens';

const INFO = 30;
const ERROR = 50;
const FIELDS = ['request_id', 'method', 'route', 'path', 'status', 'ms', 'account', 'address', 'problem'];
const CALLER = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

describe('the line of a request', () => {
  let database: TestDatabase;
  let api: RunningProcess;
  let client: Client;

  beforeAll(async () => {
    database = await createDatabase();
    api = await startMain([], { DATABASE_URL: database.url, TRUST_PROXY: '1' });
    client = new Client(api.url);
  });
  afterAll(() => database.drop());

  /** The only line of that request. */
  async function lineOf(expected: Partial<LogLine>): Promise<LogLine> {
    return await eventually(() => {
      const lines = linesOf(api).filter(({ request_id }) => request_id === expected.request_id);
      expect(lines).toEqual([expect.objectContaining(expected)]);
      return lines[0] as LogLine;
    });
  }
  const named = (id: string, headers: Record<string, string> = {}) => ({ 'X-Request-Id': id, ...headers });

  it('has a field for each thing that a program may want to know, and no ids in its route', async () => {
    const { id: user } = await factoriesFor(client).user();
    const event = await factoriesFor(client).event();
    const ticket = await factoriesFor(client).ticket({ user_id: user, event_id: event.id });
    await client.get(`/tickets/${ticket.id}?a=secret`, named('a-look', { 'X-Forwarded-For': '203.0.113.7' }));
    const line = await lineOf({ request_id: 'a-look', level: INFO });
    expect(line).toMatchObject({
      method: 'GET',
      route: '/tickets/:ticket_id',
      status: 422,
      ms: expect.any(Number),
      account: expect.any(Number),
      address: '203.0.113.7',
      problem: 'validation_failed',
      msg: 'GET /tickets/:ticket_id 422',
    });
    expect(Object.keys(line).filter((name) => !PINO.includes(name) && !FIELDS.includes(name))).toEqual([]);
  });

  it('tells failed sign-ins by route, problem and address, and not whose', async () => {
    const body = { grant_type: 'password', username: 'ada@example.com', password: 'not the right one' };
    const headers = named('a-guess', { 'X-Forwarded-For': '2001:db8::5' });
    expect((await client.as('').send('POST', '/auth/token', jsonOf(body, headers))).status).toBe(401);
    const line = await lineOf({
      request_id: 'a-guess',
      route: '/auth/token',
      status: 401,
      problem: 'invalid_credentials',
      address: '2001:db8::5',
    });
    expect(JSON.stringify(line)).not.toContain('ada@');
  });

  it('keeps the address, without its query, where no route answers', async () => {
    await client.get(`/wp-login.php${'/x'.repeat(200)}?token=secret`, named('a-scan'));
    const { path } = await lineOf({
      request_id: 'a-scan',
      route: 'none',
      status: 404,
      problem: 'route_not_found',
    });
    expect(path).toMatch(/^\/wp-login\.php\/x[^?]+$/);
    expect(String(path)).toHaveLength(200);
  });

  it('is there for what Node refuses, too', async () => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.write('EHLO example.com\r\n\r\n');
    const [, request_id] = /x-request-id: (\S+)/i.exec(await text(socket)) ?? [];
    const line = await lineOf({ request_id, level: INFO, route: 'none', status: 400, address: '127.0.0.1' });
    expect(line).toMatchObject({ problem: 'malformed_request', reason: 'HPE_INVALID_METHOD' });
    const { body } = await client.get<string>('/metrics');
    expect(body).toContain('http_problems_total{code="malformed_request"} 1');
  });

  it.each(['http://[bad/users/me', 'foo://bar'])('is there for the target %s, too', async (target) => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${target.length}-bad\r\n\r\n`);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1.1 400 .*^content-type: application\/problem\+json/ims);
    expect(answer).toContain('"code":"malformed_request"');
    const request_id = `${target.length}-bad`;
    await lineOf({ request_id, route: 'none', path: target, status: 400, problem: 'malformed_request' });
  });

  it('is there once, also where the client goes while an answer waits for another on its connection', async () => {
    const lock = await database.begin('LOCK TABLE sessions');
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    for (const [path, id] of [
      ['/users/me/sessions', 'a-first'],
      ['/events', 'a-second'],
    ])
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\nAuthorization: Bearer ${tokenOf(TEST_ADMIN.id, 'admin')}\r\n\r\n`,
      );
    await sleep(100);
    socket.destroy();
    await lineOf({ request_id: 'a-first', route: '/users/:user_id/sessions', status: 499 });
    await lineOf({ request_id: 'a-second', route: '/events', status: 499 });
    await lock.commit();
  });

  it('is left out of probes and scrapes that succeed', async () => {
    await client.get('/metrics', named('a-scrape'));
    await client.get('/health/live', named('a-probe'));
    await client.as('').get('/metrics', named('a-refused-scrape'));
    await lineOf({ request_id: 'a-refused-scrape', route: '/metrics', status: 401 });
    const ids = linesOf(api).map(({ request_id }) => request_id);
    expect(ids).not.toContain('a-scrape');
    expect(ids).not.toContain('a-probe');
  });

  it('carries the cause of what is our fault', async () => {
    await database.sql('ALTER TABLE events RENAME COLUMN title TO name');
    expect((await client.get('/events', named('a-fault'))).status).toBe(500);
    await database.sql('ALTER TABLE events RENAME COLUMN name TO title');
    const { err } = await lineOf({ request_id: 'a-fault', level: ERROR, problem: 'internal_error' });
    expect(err).toMatchObject({ message: expect.stringContaining('title'), stack: expect.any(String) });
  });

  it('names the trace where traces are on', async () => {
    const settings = { DATABASE_URL: database.url, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
    const traced = await startMain([], settings);
    await new Client(traced.url).get('/events', CALLER);
    const { output } = await traced.stop();
    expect(logLines(output)).toContainEqual(
      expect.objectContaining({
        route: '/events',
        trace_id: '0af7651916cd43dd8448eb211c80319c',
        span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
      }),
    );
  });
});

/** What stands in every line. */
const PINO = ['level', 'time', 'pid', 'hostname', 'role', 'msg'];

const linesOf = ({ output }: RunningProcess) => logLines(output().slice(0, output().lastIndexOf('\n') + 1));

const jsonOf = (body: object, headers: Record<string, string>) => ({
  headers: { 'Content-Type': 'application/json', ...headers },
  body: JSON.stringify(body),
});
