import type { Finding } from './report';

const SAMPLES = 5;
const TOLERANCE_MS = 1_000;

/** Reads a clock somewhere else, in milliseconds since 1970. */
export type Clock = () => Promise<number>;

/** How far the clocks of the services are from ours, as well as the way there and back lets one tell. */
export async function checkClocks(clocks: Record<string, Clock>): Promise<Finding> {
  const offsets = await Promise.all(
    Object.entries(clocks).map(async ([name, clock]) => ({ name, ...(await offsetOf(clock)) })),
  );
  const message = offsets.map(({ name, ms }) => `${name} ${describe(ms)}`).join(', ');
  if (offsets.every(({ ms, uncertainty }) => Math.abs(ms) - uncertainty <= TOLERANCE_MS)) {
    return { status: 'ok', message };
  }
  return {
    status: 'warning',
    message: `${message}: holds end by PostgreSQL's clock all the same, but logs and tokens do not agree on the time`,
    advice: 'Keep every machine on network time (timedatectl set-ntp true).',
  };
}

/** The sample that was quickest is the one that can be the least wrong. */
async function offsetOf(clock: Clock): Promise<{ ms: number; uncertainty: number }> {
  let best = { ms: 0, uncertainty: Infinity };
  for (let i = 0; i < SAMPLES; i++) {
    const before = Date.now();
    const theirs = await clock();
    const after = Date.now();
    const uncertainty = (after - before) / 2;
    if (uncertainty < best.uncertainty) best = { ms: theirs - (before + after) / 2, uncertainty };
  }
  return best;
}

function describe(ms: number): string {
  const seconds = (Math.abs(ms) / 1_000).toFixed(Math.abs(ms) < 10_000 ? 3 : 0);
  return `${seconds} s ${ms < 0 ? 'behind' : 'ahead'}`;
}
