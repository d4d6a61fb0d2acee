import { Presets, SingleBar } from 'cli-progress';
import { say } from './run-script';

/**
 * Shows how far a long step has come: a bar where a person watches, ten plain lines elsewhere.
 *
 * @param work calls `add` with what it has done since it called last
 */
export async function withProgress(
  label: string,
  total: number,
  work: (add: (amount: number) => void) => Promise<void>,
): Promise<void> {
  if (!process.stdout.isTTY) {
    await work(plainLines(label, total));
    return;
  }
  const bar = new SingleBar(
    { format: `${label} {bar} {value} of {total}, {eta_formatted} left`, barsize: 30, hideCursor: true },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  try {
    await work((amount) => bar.increment(amount));
  } finally {
    bar.stop();
  }
}

function plainLines(label: string, total: number): (amount: number) => void {
  let done = 0;
  return (amount) => {
    const tenthsBefore = Math.floor((10 * done) / total);
    done += amount;
    if (Math.floor((10 * done) / total) > tenthsBefore) say(`${label} ${done} of ${total}`);
  };
}
