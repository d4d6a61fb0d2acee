import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { Window } from './fixed-windows';

/** How long hits gather while no request waits for them. */
const GATHER_MS = 20;
/** A request waits no longer than this for Redis; then the count of this process decides. */
const PATIENCE_MS = 100;

/** What this process counted for one key and Redis does not know yet. */
interface Report {
  window: Window;
  hits: number;
  /** The hits of all processes up to these, once Redis has told. */
  total?: number;
}

type Reports = Map<string, Report>;

/**
 * Lets the processes that share a Redis count together. Each counts for itself first; what it counted goes to Redis, and
 * what the others counted comes back. One script is under way at a time, and hits gather for the next meanwhile.
 */
export class RedisWindows {
  private readonly logger = new Logger('RateLimit');
  private readonly redis: CountingRedis;
  private gathering?: { reports: Reports; sent: Promise<void> };
  private lastSent?: Promise<void>;
  private isLate = false;
  private isFailing = false;

  /**
   * @param redis a connection that may be shared; it is left open
   * @param key under which those who count together meet
   */
  constructor(
    redis: Redis,
    private readonly lengthMs: number,
    private readonly key: string,
  ) {
    redis.defineCommand('countHits', { numberOfKeys: 1, lua: COUNT_HITS });
    this.redis = redis as CountingRedis;
  }

  /**
   * Passes on a hit that `window` has counted; what Redis says to it is soon counted there too.
   *
   * @param isUrgent waits for what Redis says
   * @param count -1: the hit was taken back
   * @returns the how manieth hit of all processes it was; of those known here when it is not urgent, and while Redis is
   *   away or slow
   */
  pass(key: string, window: Window, isUrgent: boolean, count: 1 | -1 = 1): number | Promise<number> {
    const { hits } = window;
    if (this.isLate || this.redis.status !== 'ready') return hits;
    const { reports, sent } = (this.gathering ??= this.gather(isUrgent));
    let report = reports.get(key);
    if (report === undefined) reports.set(key, (report = { window, hits: 0 }));
    const rank = (report.hits += count);
    if (!isUrgent) return hits;
    return sent.then(() => (report.total === undefined ? hits : report.total - report.hits + rank));
  }

  private gather(isUrgent: boolean) {
    const reports: Reports = new Map();
    const sent = Promise.all([this.lastSent, isUrgent ? turn() : sleep(GATHER_MS)]).then(async () => {
      this.gathering = undefined;
      if (!this.isLate) await this.send(reports);
    });
    this.lastSent = sent;
    return { reports, sent };
  }

  /** Resolves when Redis has answered, or can't be waited for any longer. */
  private async send(reports: Reports): Promise<void> {
    const counted = [...reports].flatMap(([key, { hits }]) => [key, hits]);
    await new Promise<void>((resolve) => {
      let isAnswered = false;
      const giveUp = () => {
        if (isAnswered) return;
        this.isLate = true;
        resolve();
      };
      // Where this process was the slow one, the answer is there by now, and read within one turn.
      const patience = setTimeout(() => setImmediate(giveUp), PATIENCE_MS);
      this.redis
        .countHits(this.key, this.lengthMs, counted)
        .then((told) => this.learn(reports, told))
        .catch((error: unknown) => this.complain(error as Error))
        .finally(() => {
          isAnswered = true;
          clearTimeout(patience);
          this.isLate = false;
          resolve();
        });
    });
  }

  private complain(error: Error): void {
    if (!this.isFailing) {
      this.logger.warn(`Rates are limited by what each process counts alone: Redis says ${error.message}.`);
    }
    this.isFailing = true;
  }

  private learn(reports: Reports, told: number[]): void {
    this.isFailing = false;
    const now = performance.now();
    let i = 0;
    for (const [key, report] of reports) {
      const total = told[i++] ?? 0;
      const leftMs = told[i++] ?? 0;
      report.total = total;
      report.window.hits = total + (this.gathering?.reports.get(key)?.hits ?? 0);
      report.window.endsAt = now + leftMs;
    }
  }
}

type CountingRedis = Redis & {
  countHits(key: string, lengthMs: number, keysAndHits: (string | number)[]): Promise<number[]>;
};

/*
 * A hash per window's length holds what all callers did: two keys in all, whoever calls, and they lapse by themselves.
 * Redis's clock decides, so that the processes' need not agree. (The keys are made here, which only a Redis Cluster minds;
 * Bull does not run on one either.)
 */
const COUNT_HITS = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local length = tonumber(ARGV[1])
  local generation = math.floor(now / length)
  local young = KEYS[1] .. ':' .. string.format('%d', generation)
  local old = KEYS[1] .. ':' .. string.format('%d', generation - 1)
  local told = {}
  for i = 2, #ARGV, 2 do
    local window = redis.call('HGET', young, ARGV[i]) or redis.call('HGET', old, ARGV[i]) or '0 0'
    local hits, ends = string.match(window, '(%d+) (%d+)')
    hits, ends = tonumber(hits), tonumber(ends)
    if ends <= now then hits, ends = 0, now + length end
    hits = math.max(0, hits + ARGV[i + 1])
    redis.call('HSET', young, ARGV[i], string.format('%d %d', hits, ends))
    told[#told + 1] = hits
    told[#told + 1] = ends - now
  end
  redis.call('PEXPIRE', young, 2 * length)
  return told`;
