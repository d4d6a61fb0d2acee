import type { Finding } from './faults/finding';

/** One fault of one run. */
export interface Result {
  seed: number;
  fault: string;
  /** Why it was not tried; undefined where it was. */
  notRun?: string;
  findings: Finding[];
  /** What must never be, in words. */
  wrongs: string[];
}

export const hasFailed = ({ findings }: Result) => findings.some(({ isOk }) => !isOk);

/** What was found, for a terminal. */
export function resultsTable(results: readonly Result[]): string {
  const rows = results.flatMap(({ seed, fault, notRun, findings }) =>
    notRun === undefined
      ? findings.map(({ mustHold, measured, isOk }, i) => [
          i === 0 ? `${fault} (${seed})` : '',
          mustHold,
          measured,
          isOk ? 'ok' : 'FAILED',
        ])
      : [[`${fault} (${seed})`, 'NOT RUN', notRun, '']],
  );
  const all = [['fault (seed)', 'must hold', 'measured', ''], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
