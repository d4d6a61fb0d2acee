import { Inject, Injectable } from '@nestjs/common';
import { ThrottlerStorage } from '@nestjs/throttler';
import { Settings } from '../config/settings';
import type { Network } from '../http/network';
import { Problem } from '../problems/problem';
import type { RateLimitStorage } from './rate-limit.storage';

/** Forged messages in a minute from one network. */
const PER_NETWORK = 100;

/**
 * Counts messages whose signature is wrong. A message with the right signature never counts, and is never refused:
 * however many come at once, and from whatever address.
 */
@Injectable()
export class ForgeryLimit {
  constructor(
    private readonly settings: Settings,
    @Inject(ThrottlerStorage) private readonly storage: RateLimitStorage,
  ) {}

  /** @throws {Problem} `rate_limited` where too many of the network were forged */
  async count({ address, site = address }: Network): Promise<void> {
    if (this.settings.RATE_LIMIT_PER_MINUTE === 0) return;
    const { isBlocked, timeToExpire } = await this.storage.increment(`forgeries:${site}`, 0, PER_NETWORK);
    if (isBlocked) throw new Problem('rate_limited', { headers: { 'Retry-After': String(timeToExpire) } });
  }
}
