import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Tries `check` again and again until it no longer throws.
 *
 * @throws what it threw last, when `limitMs` are over
 */
export async function eventually<Result>(
  check: () => Result | Promise<Result>,
  limitMs = 30_000,
): Promise<Result> {
  const end = Date.now() + limitMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(20);
    }
  }
}
