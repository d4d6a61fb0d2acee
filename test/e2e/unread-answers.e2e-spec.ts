import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Request, Response } from 'express';
import { countUnread } from '../../src/http/unread-answers';

const MEGABYTE = 1_000_000;
/** Of a megabyte each, on one connection: half of what one network may leave unread. The system takes three or four. */
const ANSWERS = 4;
const MANY_ANSWERS = 7;
const TRIES = 20;

describe('answers that are not read', () => {
  let server: Server;
  let port: number;
  let answered = 0;
  const clients: Socket[] = [];

  beforeEach(async () => {
    server = createServer((request, response) => {
      (request as Request).address = String(request.headers['x-address']);
      response.end(Buffer.alloc(MEGABYTE));
      countUnread(response as Response, MEGABYTE);
      answered += 1;
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
    server.close().closeAllConnections();
  });

  /** @returns both ends of a connection on which the answers wait to be read */
  async function ask(address: string, answers: number): Promise<{ client: Socket; served: Socket }> {
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const client = connect(port, '127.0.0.1').pause();
    client.on('error', () => undefined);
    clients.push(client);
    const [served] = await accepted;
    client.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Address: ${address}\r\n\r\n`.repeat(answers));
    for (const before = answered; answered < before + answers;) await once(server, 'request');
    return { client, served };
  }

  /** Reads what was asked for, and leaves the connection open. */
  async function read(client: Socket, answers: number): Promise<number> {
    let bytes = 0;
    return await new Promise((resolve) => {
      client.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > answers * MEGABYTE) resolve(bytes);
      });
      client.once('close', () => resolve(bytes)).resume();
    });
  }

  it('end the connection of their network that was not read from for longest', async () => {
    const [oldest, elsewhere] = [await ask('192.0.2.1', MANY_ANSWERS), await ask('192.0.2.2', ANSWERS)];
    let newest = oldest;
    for (let tries = 0; tries < TRIES && !oldest.served.destroyed; tries++)
      newest = await ask('192.0.2.1', MANY_ANSWERS);
    expect(oldest.served.destroyed).toBe(true);
    expect(elsewhere.served.destroyed).toBe(false);
    expect(newest.served.destroyed).toBe(false);
    expect(await read(newest.client, MANY_ANSWERS)).toBeGreaterThan(MANY_ANSWERS * MEGABYTE);
  });

  it('end that connection, too, where they are for all the networks of one site of IPv6', async () => {
    const [oldest, elsewhere] = [
      await ask('2001:db8:1:1::1', MANY_ANSWERS),
      await ask('2001:db8:2:1::1', ANSWERS),
    ];
    for (let network = 2; network < 4 * TRIES && !oldest.served.destroyed; network++)
      await ask(`2001:db8:1:${network}::1`, MANY_ANSWERS);
    expect(oldest.served.destroyed).toBe(true);
    expect(elsewhere.served.destroyed).toBe(false);
  });

  it('are forgotten once they are read', async () => {
    const { served } = await ask('192.0.2.3', ANSWERS);
    for (let tries = 0; tries < TRIES; tries++) {
      await read((await ask('192.0.2.3', ANSWERS)).client, ANSWERS);
    }
    expect(served.destroyed).toBe(false);
  });

  it('are forgotten once their client is gone', async () => {
    const { served } = await ask('192.0.2.4', ANSWERS);
    for (let tries = 0; tries < TRIES; tries++) {
      const gone = await ask('192.0.2.4', ANSWERS + 2);
      const closed = new Promise((resolve) => gone.served.once('close', resolve));
      gone.client.destroy();
      await closed;
    }
    expect(served.destroyed).toBe(false);
  });
});
