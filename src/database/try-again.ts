import { isRetryable } from './database-error';

const TRIES = 4;

/**
 * Does the work again after a serialization failure or a deadlock. What the work asks of one connection finds the failed try
 * over there: PostgreSQL tells of a failure before it lets go of the locks, which another connection could meet.
 *
 * @throws what `work` throws, of a failure that would be no other another time, or the last time
 */
export async function tryAgain<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isRetryable(error) || tries === TRIES) throw error;
    }
  }
}
