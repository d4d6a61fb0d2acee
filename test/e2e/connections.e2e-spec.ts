import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { DataSource } from 'typeorm';
import { limitConnections } from '../../src/http/connection-limits';
import { startTestApi, type TestApi } from '../support/api';
import { expectProblem } from '../support/problems';

const HEAD = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const MEGABYTE = 1_000_000;

describe('the connections of a server', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  /** A server that answers with so many bytes. */
  async function serve(bytes: number, ...limits: [isProxy?: (address: string) => boolean, most?: number]) {
    const [isProxy = () => false, most] = limits;
    const server = createServer((_request, response) => response.end(Buffer.alloc(bytes)));
    limitConnections(server, isProxy, most);
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return { server, port: (server.address() as AddressInfo).port };
  }

  async function open(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  async function isAnswered(port: number): Promise<boolean> {
    const socket = await open(port);
    socket.write(HEAD);
    const isAnswered = await new Promise<boolean>((resolve) => {
      socket.once('data', () => resolve(true)).once('close', () => resolve(false));
    });
    socket.destroy();
    return isAnswered;
  }

  it('are limited in number and time', async () => {
    const { server } = await serve(1);
    expect(server.headersTimeout).toBeLessThanOrEqual(10_000);
    expect(server.requestTimeout).toBeLessThanOrEqual(30_000);
    expect(server.keepAliveTimeout).toBeLessThanOrEqual(65_000);
    expect(server.timeout).toBeLessThanOrEqual(10_000);
    expect(server.timeout).toBeGreaterThan(0);
    expect(server.maxConnections).toBeLessThanOrEqual(10_000);
  });

  it('bring all headers that a request has, so that what comes last is counted, too', async () => {
    const { server, port } = await serve(1);
    const seen = once(server, 'request') as Promise<[IncomingMessage]>;
    const socket = await open(port);
    const many = Array.from({ length: 1_500 }, (_, i) => `a${i}: b\r\n`).join('');
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${many}Last: one\r\n\r\n`);
    const [{ rawHeaders }] = await seen;
    expect(rawHeaders.slice(-2)).toEqual(['Last', 'one']);
    socket.destroy();
  });

  it('of one address are some of all, and make room when they end', async () => {
    const { port } = await serve(1, undefined, 3);
    const sockets = await Promise.all([open(port), open(port), open(port)]);
    expect(await isAnswered(port)).toBe(false);
    for (const socket of sockets) socket.destroy();
    while (!(await isAnswered(port)));
    expect(await isAnswered(port)).toBe(true);
  });

  it('of one site of IPv6 are some of all, from however many of its networks they come', async () => {
    const { server, port } = await serve(1);
    let network = 0;
    server.on('connection', (socket) => {
      Object.defineProperty(socket, 'remoteAddress', { value: `2001:db8:1:${(network++).toString(16)}::1` });
    });
    limitConnections(server, () => false, 3);
    const sockets: Socket[] = [];
    while (sockets.length < 6) sockets.push(await open(port));
    expect(await isAnswered(port)).toBe(false);
    for (const socket of sockets) socket.destroy();
    while (!(await isAnswered(port)));
  });

  it('of a proxy are as many as there are', async () => {
    const { port } = await serve(1, (address) => address === '127.0.0.1', 3);
    const sockets = await Promise.all([open(port), open(port), open(port)]);
    expect(await isAnswered(port)).toBe(true);
    for (const socket of sockets) socket.destroy();
  });

  it('are closed where the client does not read its answer', async () => {
    const { server, port } = await serve(64 * MEGABYTE);
    server.timeout = 100;
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const socket = await open(port);
    socket.write(HEAD);
    const [far] = await accepted;
    await once(far, 'close');
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(bytes).toBeLessThan(64 * MEGABYTE);
  });

  it('stay open while the client reads, however slowly', async () => {
    const { server, port } = await serve(16 * MEGABYTE);
    server.timeout = 1_000;
    const socket = await open(port);
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      socket.pause();
      setTimeout(() => socket.resume(), 5);
    });
    socket.write(HEAD);
    while (bytes < 16 * MEGABYTE) await once(socket, 'data');
    socket.destroy();
  });
});

describe('one client', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  it('has no more than a few requests under way on one connection', async () => {
    const socket = connect(Number(new URL(api.client.url).port), '127.0.0.1');
    socket.write('GET /events/ HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100));
    let answers = '';
    for await (const chunk of socket) answers += String(chunk);
    const statuses = [...answers.matchAll(/HTTP\/1.1 (\d{3}) /g)].map(([, status]) => status);
    expect(statuses).toEqual([...Array<string>(16).fill('200'), '503']);
  });

  it('may send its next request before it has the answer to the last', async () => {
    const socket = connect(Number(new URL(api.client.url).port), '127.0.0.1');
    socket.write(`${'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(8)}GET / HTTP/1.0\r\n\r\n`);
    let answers = '';
    for await (const chunk of socket) answers += String(chunk);
    expect(answers.match(/HTTP\/1.1 200 /g)).toHaveLength(9);
  });

  it('that asks whether all is well again and again asks the database once', async () => {
    const query = jest.spyOn(api.app.get(DataSource), 'query');
    const asked = () => query.mock.calls.filter(([text]) => text.includes('work_mem')).length;
    const answers = await Promise.all(Array.from({ length: 50 }, () => api.client.get('/health/ready')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(asked()).toBeLessThan(10);
    expect(asked()).toBeGreaterThan(0);
    query.mockRestore();
  });

  it('is told in a problem document what its headers lack', async () => {
    const headers = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`x-${i}`, '0']));
    expectProblem(await api.client.get('/events/', headers), 431, 'headers_too_large');
  });
});
