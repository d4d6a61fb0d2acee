/** What one key did since its window began. */
export interface Window {
  hits: number;
  /** When counting starts afresh, on the clock of the process that counts. */
  endsAt: number;
}

/**
 * Counts hits by key, each key in windows of its own that begin with its first hit. There is no timer: the older of two
 * generations of windows, in which all have lapsed, is dropped as a whole.
 */
export class FixedWindows {
  private young = new Map<string, Window>();
  private old = new Map<string, Window>();
  private turnsAt = 0;

  /**
   * @param lengthMs how long a window lasts
   * @param mostKeys of one generation; with more, the older one is dropped early. A caller with that many addresses is
   *   not to be stopped by counting, but must not fill the memory either
   */
  constructor(
    private readonly lengthMs: number,
    private readonly mostKeys = 100_000,
  ) {}

  /**
   * Counts one hit, or takes one back, at `now`, in milliseconds of any clock that never goes back.
   */
  hit(key: string, now: number, hits: 1 | -1 = 1): Window {
    if (now >= this.turnsAt) this.turn(now);
    let window = this.young.get(key) ?? this.old.get(key);
    if (window === undefined || window.endsAt <= now) {
      if (this.young.size >= this.mostKeys) this.turn(now);
      window = { hits: 0, endsAt: now + this.lengthMs };
      this.young.set(key, window);
    }
    window.hits = Math.max(0, window.hits + hits);
    return window;
  }

  private turn(now: number): void {
    this.old = this.young;
    this.young = new Map();
    this.turnsAt = now + this.lengthMs;
  }
}
