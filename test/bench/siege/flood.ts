import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Something that goes on until it is stopped. */
export interface Attack {
  /** Resolves when nothing of it is left. */
  stop(): Promise<void>;
}

export interface Shot {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string | number>;
  body?: Buffer;
}

/** Requests of one address, evenly `perSecond` and `most` in all, on so many connections; those that find none free wait. */
export function flood(
  url: string,
  {
    from,
    most,
    perSecond,
    connections,
  }: { from: string; most: number; perSecond: number; connections: number },
  shots: Shot[],
): Attack {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, localAddress: from });
  let sent = 0;
  const timer = setInterval(() => {
    if (sent === most) return;
    const { method, path, headers, body } = shots[sent++ % shots.length] as Shot;
    const outgoing = request(new URL(path, url), {
      agent,
      method,
      headers: { ...headers, ...(body && { 'Content-Length': body.length }) },
    });
    outgoing.on('response', (response) => response.resume());
    // It may be refused before its body is sent, or broken off at the end.
    outgoing.on('error', () => undefined);
    outgoing.end(body);
  }, 1_000 / perSecond);
  return {
    stop: async () => {
      clearInterval(timer);
      agent.destroy();
      await sleep(SETTLE_MS);
    },
  };
}

/** Connections of one address that ask, or say nothing, and do not read. */
export function holdOpen(
  url: string,
  { from, connections }: { from: string; connections: number },
  head = '',
): Attack {
  const { hostname, port } = new URL(url);
  const sockets = Array.from({ length: connections }, (): Socket => {
    const socket = connect({ host: hostname, port: Number(port), localAddress: from });
    socket.on('error', () => undefined); // the server may close it
    socket.pause();
    socket.write(head);
    return socket;
  });
  return {
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await sleep(SETTLE_MS);
    },
  };
}

/** What was asked for last is still worked off. */
const SETTLE_MS = 500;
