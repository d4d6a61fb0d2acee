import type { Socket } from 'node:net';
import type { PoolClient } from 'pg';
import { isReadOnly, spoilsConnection } from './database-error';

/** Longer than the session lets a statement take. */
const SILENCE_MS = 2_800;

type Client = PoolClient & { readyForQuery?: boolean };

const streamOf = ({ connection }: Client) => connection.stream as Socket;

/** The statement that is under way when a connection breaks fails. Without a listener the process would end, too. */
export const outliveErrors = (client: PoolClient): void => void client.on('error', () => undefined);

/**
 * Watches over the connections of a pool and breaks those that are of no use, so that the pool makes new ones. The
 * driver and TypeORM would keep them.
 *
 * @returns what the pool calls with each connection it makes
 */
export function breakOffUseless(): (client: PoolClient) => void {
  const clients = new Set<Client>();
  return (client) => {
    clients.add(client);
    outliveErrors(client);
    streamOf(client).once('close', () => clients.delete(client));
    breakOffSilence(client);
    client.connection.on('errorMessage', (error: { code?: string }) => {
      if (!spoilsConnection(error)) return;
      streamOf(client).destroy();
      // After a failover the idle ones still lead to the server that was the primary.
      if (isReadOnly(error)) for (const other of clients) if (other.readyForQuery) streamOf(other).destroy();
    });
  };
}

/** The driver only stops waiting for an answer, and the next request would wait on the same connection in vain. */
function breakOffSilence(client: Client): void {
  const stream = streamOf(client);
  stream.setTimeout(SILENCE_MS).on('timeout', () => {
    if (!client.readyForQuery)
      stream.destroy(new Error('Connection terminated: no answer from the database'));
  });
}
