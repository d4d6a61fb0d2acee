import { Pool, type PoolClient, type QueryConfig, type QueryResultRow } from 'pg';
import { Problem } from '../problems/problem';
import { isStatementTimeout } from './database-error';

/** Connections that lists have to themselves; they can take no others. */
export const LIST_CONNECTIONS = 3;

/** A page is read in a few milliseconds; what takes this long would keep the others waiting. */
const LIMIT = 'statement_timeout = 300';

/** Lists that wait for a connection, each with its request in memory. */
const MOST_WAITING = 200;

/**
 * The connections of lists. Whatever is asked of lists, and however much, those that book never wait for it.
 */
export class ListPool {
  readonly pool: Pool;

  /**
   * @param main the pool whose connections these are made like
   * @param hasSessions whether a connection keeps its settings: behind a pooler each list is told its limit
   */
  constructor(
    { options }: Pool,
    private readonly hasSessions: boolean,
  ) {
    const session = hasSessions ? `${options.options ?? ''} -c ${LIMIT.replaceAll(' ', '')}` : undefined;
    // The pool hides its password from what copies its options.
    const { password } = options;
    this.pool = new Pool({ ...options, password, max: LIST_CONNECTIONS, options: session });
    this.pool.on('error', () => undefined); // an idle connection that breaks is replaced by the next list
  }

  /** @throws {Problem} `overloaded` when too many wait already, or when the list takes too long */
  async query<Row extends QueryResultRow>(query: QueryConfig): Promise<Row[]> {
    if (this.pool.waitingCount >= MOST_WAITING) throw overloaded();
    try {
      return this.hasSessions
        ? (await this.pool.query<Row>(query)).rows
        : await this.queryLimited<Row>(query);
    } catch (error) {
      throw isStatementTimeout(error) ? overloaded() : error;
    }
  }

  private async queryLimited<Row extends QueryResultRow>(query: QueryConfig): Promise<Row[]> {
    const client = await this.pool.connect();
    let failure: Error | undefined;
    try {
      await client.query(`BEGIN READ ONLY; SET LOCAL ${LIMIT}`);
      const { rows } = await client.query<Row>(query);
      await client.query('COMMIT');
      return rows;
    } catch (error) {
      failure = await rolledBack(client);
      throw error;
    } finally {
      client.release(failure);
    }
  }
}

/** @returns why the connection is of no more use, if so */
async function rolledBack(client: PoolClient): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

const overloaded = () => new Problem('overloaded', { headers: { 'Retry-After': '1' } });
