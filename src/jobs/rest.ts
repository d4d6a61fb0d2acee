import { setTimeout as sleep } from 'node:timers/promises';

const RESTS = 10;
/** Work that waited so long waited for somebody else, such as a slow provider, which costs those who book nothing. */
const LONGEST_REST_MS = 3_000;

/**
 * Rests ten times as long as a step of long background work took: going through the orders of a cancelled event, and
 * giving their money back, leaves the processors to those who book.
 *
 * @param since `performance.now()` at the beginning of the step
 */
export async function restAfterStep(since: number): Promise<void> {
  await sleep(Math.min(RESTS * (performance.now() - since), LONGEST_REST_MS));
}
