import { LRUCache } from 'lru-cache';

/** As many events as anybody may ask for at once; of one that is forgotten everything is looked at again. */
const MOST = 100_000;
/** How often everything is looked at, whenever it fell due: what was locked, or was put into the past by hand. */
const EVERYTHING_MS = 60_000;
/** A hold is written within this time of its beginning, so that it may be due before it is there to be seen. */
const MARGIN_MS = 2_000;

/** Before every time there is. */
const EVERYTHING = '-infinity';

/** A time of the database's clock, which what is looked for fell due after. */
export type Since = Date | typeof EVERYTHING;

interface Look {
  since: Date;
  /** By `performance.now()`, when everything was looked at. */
  everythingAt: number;
}

/** What a look for due holds found. */
export interface Found {
  /** By the database's clock. */
  lookedAt: Date;
  /** Since when the first hold is due that the look left behind; left out or null where it left none. */
  leftSince?: Date | null;
}

/** What one statement of a walk found. */
export interface FoundOnWalk extends Found {
  /** Since when the last hold is due that it ended; null where it ended none. */
  lastDueAt: Date | null;
}

/** Through all that is due, by one statement after another or several at a time: each goes on where those before it ended. */
export class DueScan {
  /** What the next statement starts behind. */
  next: Since;
  private lookedAt?: Date;
  /** Since when the first hold is due that was passed over, because somebody works on it. */
  private leftSince = Infinity;

  constructor(private readonly since: Since) {
    this.next = since;
  }

  get isEverything(): boolean {
    return this.next === EVERYTHING;
  }

  /** Goes on behind what a statement has ended. */
  advance({ lookedAt, leftSince, lastDueAt }: FoundOnWalk): void {
    this.lookedAt ??= lookedAt;
    if (!lastDueAt) return;
    if (leftSince && leftSince < lastDueAt) this.leave(leftSince);
    // Others fell due in the same millisecond.
    const next = new Date(lastDueAt.getTime() - 1);
    // One that began later may have ended first.
    if (this.next === EVERYTHING || next > this.next) this.next = next;
  }

  /** @returns what the whole walk found, after the statement that found the last of them */
  end({ lookedAt, leftSince }: Found): Found & { since: Since } {
    if (leftSince) this.leave(leftSince);
    return {
      since: this.since,
      lookedAt: this.lookedAt ?? lookedAt,
      leftSince: this.leftSince === Infinity ? null : new Date(this.leftSince),
    };
  }

  private leave(since: Date): void {
    this.leftSince = Math.min(this.leftSince, since.getTime());
  }
}

/**
 * Since when holds are to be looked for. The index of live holds keeps the entries of those that ended for as long as any
 * transaction has an older snapshot (a dump, a forgotten BEGIN), and a look from the beginning walks them all. So each
 * look goes on where the last one ended, and now and then one looks at everything.
 */
export class DueScanCursor<Key extends number | string> {
  private readonly looks = new LRUCache<Key, Look>({ max: MOST });

  /** What the next look starts behind: a time of the database's clock. */
  since(key: Key): Since {
    const look = this.looks.get(key);
    return !look || performance.now() - look.everythingAt > EVERYTHING_MS ? EVERYTHING : look.since;
  }

  /** Remembers a look that began behind `since`, and saw all there was. */
  remember(key: Key, since: Since | undefined, { lookedAt, leftSince }: Found): void {
    const now = performance.now();
    const everythingAt = since === EVERYTHING ? now : (this.looks.get(key)?.everythingAt ?? now);
    const goOn = lookedAt.getTime() - MARGIN_MS;
    // What stays behind for longer is met again when everything is looked at.
    const left = Math.max(leftSince?.getTime() ?? Infinity, lookedAt.getTime() - EVERYTHING_MS) - 1;
    this.looks.set(key, { since: new Date(Math.min(goOn, left)), everythingAt });
  }

  /**
   * Everything could not be looked at in time: until it is tried again, the looks see what fell due within the last minute.
   *
   * @param now by the database's clock
   */
  skipEverything(key: Key, now: number): void {
    const since = this.looks.get(key)?.since ?? new Date(now - EVERYTHING_MS);
    this.looks.set(key, { since, everythingAt: performance.now() });
  }
}
