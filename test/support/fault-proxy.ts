import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A stretch of network between a process and a service, that can be broken. */
export interface FaultProxy {
  /** The service's address, by way of the proxy. */
  url: string;
  /** As when the service is killed: connections break, new ones are refused. */
  cut(): Promise<void>;
  /** As behind a router that drops packets: connections stay, new ones are taken, nothing comes through. */
  freeze(): Promise<void>;
  /** Freezes once a chunk with this text has gone to the service: the service does what it asks for, and the answer never arrives. */
  freezeAfter(text: string): void;
  /** As behind a firewall that forgets: connections are reset in the midst of whatever they carry; new ones pass. */
  reset(): void;
  /** As when the service's machine loses power: existing connections fall silent without notice; new ones pass. */
  leaveHalfOpen(): void;
  /** Everything takes so much longer in each direction. */
  delay(ms: number): void;
  /**
   * From now on PostgreSQL's word that it is ready for more arrives on its own, a while after what it belongs to: as
   * when the two happen to be cut into different packets.
   */
  splitAnswers(): void;
  /** New connections pass again, without delay; those that were frozen never recover. */
  heal(): Promise<void>;
}

/** ReadyForQuery without the state of the transaction, its last byte: the end of every answer of PostgreSQL. */
const READY = Buffer.from('Z\0\0\0\x05', 'latin1');
const READY_SIZE = READY.length + 1;
const SPLIT_MS = 50;

const DEFAULT_PORTS: Record<string, number> = { 'postgres:': 5432, 'postgresql:': 5432, 'redis:': 6379 };

/** Lays a proxy from a port of this machine to the service at `target`. Cut it when you are done. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port, protocol } = new URL(target);
  /** Each end of each connection, with what it is connected to. */
  const sockets = new Map<Socket, Socket>();
  const farEnds = new Set<Socket>();
  const frozen = new Set<Socket>();
  let isFrozen = false;
  let delayMs = 0;
  let isSplitting = false;
  let last: string | undefined;

  const pass = (from: Socket, to: Socket, chunk: Buffer) => {
    if (frozen.has(from)) return;
    const end = chunk.length - READY_SIZE;
    if (delayMs > 0) setTimeout(() => to.write(chunk), delayMs);
    else if (isSplitting && farEnds.has(from) && chunk.subarray(end, -1).equals(READY)) {
      to.write(chunk.subarray(0, end));
      setTimeout(() => to.write(chunk.subarray(end)), SPLIT_MS);
    } else to.write(chunk);
    if (farEnds.has(to) && last !== undefined && chunk.includes(last)) freeze();
  };
  const server = createServer((near) => {
    const far = connect(Number(port) || (DEFAULT_PORTS[protocol] ?? 0), hostname);
    farEnds.add(far);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.set(from, to);
      if (isFrozen) frozen.add(from);
      from.on('data', (chunk: Buffer) => pass(from, to, chunk));
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        farEnds.delete(from);
        // The other end of a frozen connection hears nothing, not even that this one is gone.
        if (!frozen.delete(from)) to.destroy();
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

  const freezeAll = () => {
    for (const socket of sockets.keys()) frozen.add(socket);
  };
  const freeze = () => {
    isFrozen = true;
    freezeAll();
  };
  const cut = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets.keys()) socket.destroy();
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
    reset: () => {
      for (const socket of sockets.keys()) socket.resetAndDestroy();
    },
    leaveHalfOpen: () => {
      freezeAll();
      for (const socket of farEnds) socket.destroy();
    },
    delay: (ms) => {
      delayMs = ms;
    },
    splitAnswers: () => {
      isSplitting = true;
    },
    heal: async () => {
      isFrozen = false;
      delayMs = 0;
      last = undefined;
      if (!server.listening) await listen(own);
    },
  };
}
