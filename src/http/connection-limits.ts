import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { networkOf, sharesOf } from './network';

const MOST_CONNECTIONS = 10_000;
/** Enough for a carrier's address that thousands of customers share, and a tenth of what there is. */
const MOST_PER_ADDRESS = MOST_CONNECTIONS / 10;

/** Without a byte in either direction for so long, a connection on which a request is under way is closed. */
const STALLED_MS = 10_000;

/**
 * Keeps clients that say little, slowly, that do not read what they asked for, or that come with many connections, from
 * using up what others need. Node looks at the time of headers and requests every half a minute.
 *
 * @param isProxy whether an address is that of a proxy, which brings everybody's connections
 */
export function limitConnections(
  server: Server,
  isProxy: (address: string) => boolean,
  mostPerAddress = MOST_PER_ADDRESS,
): void {
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  // Longer than the minute for which a load balancer usually keeps a connection, so that it never uses a closed one.
  server.keepAliveTimeout = 65_000;
  server.timeout = STALLED_MS;
  server.maxConnections = MOST_CONNECTIONS;
  // Node would drop the rest in silence; `refuseUnsound` counts them.
  server.maxHeadersCount = 0;
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress;
    if (address === undefined || isProxy(address)) return;
    const shares = sharesOf(networkOf(address), mostPerAddress);
    if (shares.some(([name, most]) => (open.get(name) ?? 0) >= most)) {
      socket.destroy();
      return;
    }
    for (const [name] of shares) open.set(name, (open.get(name) ?? 0) + 1);
    socket.once('close', () => {
      for (const [name] of shares) {
        const left = (open.get(name) ?? 1) - 1;
        if (left === 0) open.delete(name);
        else open.set(name, left);
      }
    });
  });
}
