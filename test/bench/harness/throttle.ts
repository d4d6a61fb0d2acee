import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const PERIOD_MS = 20;

/**
 * Meanwhile lets a server work for a share of the time alone, each of its processes by turns: as if its cores were slower
 * than the machine's, so that PostgreSQL and the load are no bound. Linux only.
 *
 * @param share between 0 and 1
 */
export async function throttled<Result>(
  pid: number,
  share: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const children = childrenOf(pid);
  const pids = children.length > 0 ? children : [pid];
  let isOver = false;
  const throttles = pids.map(async (each, i) => {
    await sleep((i * PERIOD_MS) / pids.length);
    while (!isOver) {
      process.kill(each, 'SIGSTOP');
      await sleep(PERIOD_MS * (1 - share));
      process.kill(each, 'SIGCONT');
      await sleep(PERIOD_MS * share);
    }
  });
  try {
    return await work();
  } finally {
    isOver = true;
    await Promise.all(throttles);
  }
}

/** From Linux itself; there is no portable way to ask. */
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
