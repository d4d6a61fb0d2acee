import type { LoadResult } from './load/job';

/** What was measured a number of times: the medians, and the rate of each round. */
export interface Summary extends LoadResult {
  rounds: number[];
}

export const median = (values: number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
};

/** One measurement of so many seconds. */
export type Measure = (seconds: number) => Promise<LoadResult>;

const WARM_UP_SECONDS = 2;

/**
 * Measures several things in turn, there and back in each round, so that whatever else the machine is up to, and what
 * grows while it is measured, meets all of them alike. A first, shorter round only warms up.
 */
export async function interleave<Name extends string>(
  { rounds, seconds }: { rounds: number; seconds: number },
  measures: Record<Name, Measure>,
  tell: (name: string, round: number, result: LoadResult) => void,
): Promise<Record<Name, Summary>> {
  const names = Object.keys(measures) as Name[];
  for (const name of names) await measures[name](Math.min(WARM_UP_SECONDS, seconds));
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    LoadResult[]
  >;
  for (let round = 1; round <= rounds; round++) {
    for (const name of [...names, ...names.toReversed()]) {
      const result = await measures[name](seconds / 2);
      results[name].push(result);
      tell(name, round, result);
    }
  }
  return Object.fromEntries(names.map((name) => [name, summarize(results[name])])) as Record<Name, Summary>;
}

export function summarize(results: LoadResult[]): Summary {
  const outcomes: Record<string, number> = {};
  for (const result of results) {
    for (const [outcome, number] of Object.entries(result.outcomes)) {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + number;
    }
  }
  return {
    perSecond: median(results.map(({ perSecond }) => perSecond)),
    p50: median(results.map(({ p50 }) => p50)),
    p99: median(results.map(({ p99 }) => p99)),
    outcomes,
    unexpected: results.reduce((sum, { unexpected }) => sum + unexpected, 0),
    rounds: results.map(({ perSecond }) => perSecond),
  };
}
