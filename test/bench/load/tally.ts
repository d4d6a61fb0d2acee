import type { LoadResult } from './job';

/** Counts answers, and times those that arrive while the measurement lasts. */
export class Tally {
  private readonly outcomes: Record<string, number> = {};
  private unexpected = 0;
  private times: number[] = [];
  private from = performance.now();
  private to?: number;

  /** The measurement begins: what was before was warming up. */
  mark(): void {
    this.times = [];
    this.from = performance.now();
  }

  /** The measurement is over; answers that are still to come are only counted. */
  stop(): void {
    this.to ??= performance.now();
  }

  add(outcome: string, isExpected: boolean, sentAt: number): void {
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
    if (!isExpected) this.unexpected += 1;
    if (this.to === undefined) this.times.push(performance.now() - sentAt);
  }

  result(): LoadResult {
    this.stop();
    const { times, outcomes, unexpected } = this;
    const seconds = ((this.to ?? 0) - this.from) / 1_000;
    const sorted = Float64Array.from(times).sort();
    const percentile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? NaN;
    return {
      perSecond: times.length / seconds,
      p50: percentile(0.5),
      p99: percentile(0.99),
      outcomes,
      unexpected,
    };
  }
}
