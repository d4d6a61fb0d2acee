import type { ThrottlerStorage } from '@nestjs/throttler';
import type { RedisWindows } from './redis-windows';
import { FixedWindows } from './fixed-windows';

/** With fewer hits left than this, a caller is let through only by what all processes have counted. */
const CLOSE_TO_LIMIT = 100;

type Verdict = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/**
 * Counts in the memory of this process, and through Redis together with others. A caller far from the limit never waits
 * for Redis, and one close to it not for long. (The library's own storage keeps a time for each hit and looks through all of
 * them at the next; ours keeps two numbers.)
 */
export class RateLimitStorage implements ThrottlerStorage {
  private readonly windows: FixedWindows;

  constructor(
    lengthMs: number,
    private readonly shared?: RedisWindows,
  ) {
    this.windows = new FixedWindows(lengthMs);
  }

  /** Takes a hit back that should not have been counted. */
  takeBack(key: string): void {
    const window = this.windows.hit(key, performance.now(), -1);
    void this.shared?.pass(key, window, false, -1);
  }

  /** The length of a window and the refusal beyond the limit are the same for all: no caller is blocked for longer. */
  async increment(key: string, _lengthMs: number, limit: number): Promise<Verdict> {
    const window = this.windows.hit(key, performance.now());
    const isClose = limit - window.hits < CLOSE_TO_LIMIT;
    const hits = this.shared ? await this.shared.pass(key, window, isClose) : window.hits;
    const seconds = Math.max(1, Math.ceil((window.endsAt - performance.now()) / 1_000));
    const isBlocked = hits > limit;
    return { totalHits: hits, timeToExpire: seconds, isBlocked, timeToBlockExpire: isBlocked ? seconds : 0 };
  }
}

/** The same with windows of an hour. */
export class HourlyStorage extends RateLimitStorage {}
