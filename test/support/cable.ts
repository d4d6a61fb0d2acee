import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A stretch of network between a process and a service, that can be broken. */
export interface Cable {
  /** The service's address, by way of the cable. */
  url: string;
  /** As when the service is killed: connections break, new ones are refused. */
  cut(): Promise<void>;
  /** As behind a router that drops packets: connections stay, new ones are taken, nothing comes through. */
  freeze(): Promise<void>;
  /** Freezes once a chunk with this text has gone to the service: what it asks for is done, and nobody is told. */
  freezeAfter(text: string): void;
  /** New connections pass again; those that were frozen never recover. */
  mend(): Promise<void>;
}

const DEFAULT_PORTS: Record<string, number> = { 'postgres:': 5432, 'postgresql:': 5432, 'redis:': 6379 };

/** Lays a cable from a port of this machine to the service at `target`. Cut it when you are done. */
export async function layCable(target: string): Promise<Cable> {
  const { hostname, port, protocol } = new URL(target);
  const sockets = new Set<Socket>();
  const frozen = new Set<Socket>();
  let isFrozen = false;
  let last: string | undefined;

  const server = createServer((near) => {
    const far = connect(Number(port) || (DEFAULT_PORTS[protocol] ?? 0), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      if (isFrozen) frozen.add(from);
      from.on('data', (chunk) => {
        if (frozen.has(from)) return;
        to.write(chunk);
        if (from === near && last !== undefined && chunk.includes(last)) freeze();
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  const listen = async (on: number) => {
    server.listen(on, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const own = await listen(0);
  const url = new URL(target);
  url.host = `127.0.0.1:${own}`;

  const freeze = () => {
    isFrozen = true;
    for (const socket of sockets) frozen.add(socket);
  };
  const cut = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    url: url.href,
    cut,
    freeze: () => {
      freeze();
      return Promise.resolve();
    },
    freezeAfter: (text) => {
      last = text;
    },
    mend: async () => {
      isFrozen = false;
      last = undefined;
      if (!server.listening) await listen(own);
    },
  };
}
