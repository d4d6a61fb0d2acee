import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ThrottlerStorage } from '@nestjs/throttler';
import { LRUCache } from 'lru-cache';
import { Settings } from '../config/settings';
import type { Network } from '../http/network';
import { Problem } from '../problems/problem';
import type { RateLimitStorage } from './rate-limit.storage';

/** Wrong passwords in a minute from one network, whichever accounts they are for. */
const PER_NETWORK = 100;
/** Wrong passwords in a minute for one account from one network. */
const PER_ACCOUNT_AND_NETWORK = 10;
/** Wrong passwords in a minute for one account from everywhere; networks that its owner signed in from go on. */
const PER_ACCOUNT = 100;
/** Networks that accounts have signed in from, as this process remembers them. */
const REMEMBERED = { max: 100_000, ttl: 30 * 86_400_000 };

/**
 * Limits wrong passwords by account. Right ones don't count, and neither does a request in which nothing is compared: else
 * strangers could keep the owner out. For the same reason the limit on all networks together is a loose one, and no answer
 * says how many tries are left.
 */
@Injectable()
export class GuessLimit {
  private readonly known = new LRUCache<string, true>(REMEMBERED);

  constructor(
    private readonly settings: Settings,
    @Inject(ThrottlerStorage) private readonly storage: RateLimitStorage,
  ) {}

  /**
   * Compares a password, unless too many wrong ones came before.
   *
   * @param account any text that names the account; it is hashed, so that no e-mail address lies about in Redis
   * @param compare throws `invalid_credentials` where the password is wrong
   * @throws {Problem} `rate_limited`, and as `compare` does
   */
  async guess<Result>(
    account: string,
    { address, site = address }: Network,
    compare: () => Promise<Result>,
  ): Promise<Result> {
    if (this.settings.RATE_LIMIT_PER_MINUTE === 0) return await compare();
    const here = keyOf('here', account, site);
    const everywhere = keyOf('everywhere', account);
    const network = keyOf('network', site);
    // Counted before the password is known to be wrong: of a thousand guesses at once, all would be compared otherwise.
    await this.count(network, PER_NETWORK);
    await this.count(here, PER_ACCOUNT_AND_NETWORK);
    await this.count(everywhere, this.known.has(here) ? Infinity : PER_ACCOUNT);
    try {
      const result = await compare();
      this.known.set(here, true);
      this.takeBack(network, here, everywhere);
      return result;
    } catch (error) {
      const isWrong = error instanceof Problem && error.code === 'invalid_credentials';
      if (!isWrong) this.takeBack(network, here, everywhere);
      throw error;
    }
  }

  private async count(key: string, limit: number): Promise<void> {
    const { isBlocked, timeToExpire } = await this.storage.increment(key, 0, limit);
    if (isBlocked) throw new Problem('rate_limited', { headers: { 'Retry-After': String(timeToExpire) } });
  }

  private takeBack(...keys: string[]): void {
    for (const key of keys) this.storage.takeBack(key);
  }
}

/** In JSON, so that no name can be spelled to look like two. */
const keyOf = (...names: string[]) =>
  `guesses:${createHash('sha256').update(JSON.stringify(names)).digest('base64url')}`;
