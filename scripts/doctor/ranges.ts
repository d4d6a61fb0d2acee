import type { EntityManager } from 'typeorm';
import { isStatementTimeout } from '../../src/database/database-error';

/** How long a statement may take: as long as those of the API, so that nothing waits longer for what it reads. */
export const STATEMENT_MS = 2_000;
/**
 * Ids per statement: halved whenever one takes too long. Each may be of another event, and so a row of the answer; the
 * driver's patience covers reading these, too.
 */
const RANGE = { most: 20_000, least: 1_000 };

/** From the first id to the last one; null where there is none. */
export interface Span {
  first: number | null;
  last: number | null;
}

/** How many ids it has. */
export const lengthOf = ({ first, last }: Span) => (last === null ? 0 : last - (first ?? 0) + 1);

/**
 * Works through a span of ids range by range, in a transaction, and yields how many ids each range had.
 *
 * @param work has no effect when its statement takes too long
 */
export async function* inRanges(
  manager: EntityManager,
  { first, last }: Span,
  work: (from: number, to: number) => Promise<void>,
): AsyncGenerator<number> {
  if (first === null || last === null) return;
  let size = RANGE.most;
  for (let from = first; from <= last;) {
    const to = Math.min(from + size - 1, last);
    await manager.query('SAVEPOINT range');
    try {
      await work(from, to);
      yield to - from + 1;
      from = to + 1;
    } catch (error) {
      if (!isStatementTimeout(error) || size <= RANGE.least) throw error;
      size = Math.max(RANGE.least, size >> 1);
      await manager.query('ROLLBACK TO SAVEPOINT range');
    }
    await manager.query('RELEASE SAVEPOINT range');
  }
}
