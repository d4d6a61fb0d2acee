import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpLane } from './http-lane';

describe('HttpLane', () => {
  let server: Server;
  let lane: HttpLane;
  let answer: (socket: Socket, request: string) => unknown;
  const asked: string[] = [];

  beforeAll(async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        asked.push(chunk.toString());
        answer(socket, chunk.toString());
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    lane = new HttpLane(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });

  afterAll(async () => {
    await lane.close();
    server.close();
  });

  const post = () =>
    lane.send({ method: 'POST', path: '/tickets/', body: '{"user_id":1}', token: 'x.y.z', expected: [] });
  const response = (status: string, body: string) =>
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

  it('sends what an HTTP server understands', async () => {
    answer = (socket) => socket.write(response('201 Created', '{}'));
    expect(await post()).toBe('201');
    expect(asked.at(-1)).toMatch(
      /^POST \/tickets\/ HTTP\/1\.1\r\nHost: 127[^\r]+\r\nAuthorization: Bearer x\.y\.z\r\nContent-Type: application\/json\r\nContent-Length: 13\r\n\r\n\{"user_id":1\}$/,
    );
  });

  it('puts an answer together that comes byte by byte', async () => {
    answer = async (socket) => {
      for (const byte of Buffer.from(response('200 OK', '{"name":"Zoë 🎫"}'))) {
        socket.write(Buffer.of(byte));
        await sleep(0);
      }
    };
    expect(await post()).toBe('200');
  });

  it('tells the code of a problem', async () => {
    answer = (socket) => socket.write(response('409 Conflict', '{"code":"event_sold_out"}'));
    expect(await post()).toBe('409 event_sold_out');
  });

  it('never takes for an answer what is none', async () => {
    answer = (socket) => socket.destroy();
    expect(await post()).toBe('closed');
    answer = (socket) => socket.end('HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n{"id"');
    expect(await post()).toBe('closed');
    answer = (socket) => socket.write('HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
    expect(await post()).toBe('an answer that this can not read');
    answer = (socket) => socket.write(response('201 Created', '{}').repeat(2));
    expect(await post()).toBe('an answer that this can not read');
  });

  it('connects again after a loss', async () => {
    answer = (socket) => socket.destroy();
    expect(await post()).toBe('closed');
    answer = (socket) => socket.write(response('201 Created', '{}'));
    expect(await post()).toBe('201');
  });
});
