import type { DataSource, EntityManager } from 'typeorm';
import { isStatementTimeout } from '../../src/database/database-error';

/** How long a statement may take: as long as those of the API, so that nothing waits longer for what it reads. */
const STATEMENT_MS = 2_000;
/**
 * Ids of tickets per statement: halved whenever one takes too long. Each may be of another event, and so a row of the
 * answer; the driver's patience covers reading these, too.
 */
const RANGE = { most: 20_000, least: 1_000 };

export interface LookOptions {
  /** Shows how far it has come. */
  progress: (total: number, work: (add: (amount: number) => void) => Promise<void>) => Promise<void>;
  stopped: AbortSignal;
  /** How long one statement may take. */
  statementMs?: number;
}

export const statementMsOf = ({ statementMs = STATEMENT_MS }: LookOptions) => statementMs;

/**
 * Looks at all tickets range by range, and then does `work` on the same snapshot. It sees one instant, so that what is
 * under way never looks like a fault; it locks no row.
 *
 * @param text a query for what there is among the tickets from id `$1` to id `$2`
 * @param take gets the rows of each range
 */
export async function lookAtTickets<Row>(
  database: DataSource,
  options: LookOptions,
  { text, take, work }: Look<Row>,
): Promise<void> {
  const { progress, stopped } = options;
  await database.transaction('REPEATABLE READ', async (manager) => {
    await manager.query(`SET LOCAL statement_timeout = ${statementMsOf(options)}`);
    const [{ first, last }] = await manager.query<[{ first: number | null; last: number | null }]>(
      'SELECT min(id) AS first, max(id) AS last FROM tickets',
    );
    const ids = first === null || last === null ? undefined : { first, last };
    await progress(ids ? ids.last - ids.first + 1 : 0, async (add) => {
      if (ids) {
        for await (const { count, rows } of inRanges(manager, text, ids)) {
          stopped.throwIfAborted();
          take(rows as Row[]);
          add(count);
        }
      }
      await work?.(manager);
    });
  });
}

interface Look<Row> {
  text: string;
  take: (rows: Row[]) => void;
  work?: (manager: EntityManager) => Promise<void>;
}

async function* inRanges(
  manager: EntityManager,
  text: string,
  { first, last }: { first: number; last: number },
): AsyncGenerator<{ count: number; rows: unknown[] }> {
  let size = RANGE.most;
  for (let from = first; from <= last;) {
    const to = Math.min(from + size - 1, last);
    await manager.query('SAVEPOINT range');
    try {
      yield { count: to - from + 1, rows: await manager.query<unknown[]>(text, [from, to]) };
      from = to + 1;
    } catch (error) {
      if (!isStatementTimeout(error) || size <= RANGE.least) throw error;
      size = Math.max(RANGE.least, size >> 1);
      await manager.query('ROLLBACK TO SAVEPOINT range');
    }
    await manager.query('RELEASE SAVEPOINT range');
  }
}
