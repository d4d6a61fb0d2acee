import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import type { Caller } from '../auth/caller';
import { Settings } from '../config/settings';
import { Problem } from '../problems/problem';
import { HourlyStorage } from './rate-limit.storage';

/** Limits the events that an account creates in an hour; an admin creates any number. */
@Injectable()
export class EventLimit {
  constructor(
    private readonly settings: Settings,
    private readonly storage: HourlyStorage,
  ) {}

  /**
   * Creates an event, unless the account has created too many before. What creates none is not counted.
   *
   * @param response gets headers that say how many are left
   * @throws {Problem} `event_limit_reached`, and as `create` does
   */
  async within<Result>(
    { userId, role }: Caller,
    response: Response,
    create: () => Promise<Result>,
  ): Promise<Result> {
    const { MAX_EVENTS_PER_USER_HOUR: limit } = this.settings;
    if (limit === 0 || role === 'admin') return await create();
    const key = `events:user ${userId}`;
    try {
      // Counted before it is created: of a thousand at once, all would be created otherwise.
      const { totalHits, timeToExpire, isBlocked } = await this.storage.increment(key, 0, limit);
      response.append('RateLimit-Policy', `"events";q=${limit};w=3600`);
      response.append('RateLimit', `"events";r=${Math.max(0, limit - totalHits)};t=${timeToExpire}`);
      if (isBlocked)
        throw new Problem('event_limit_reached', { headers: { 'Retry-After': String(timeToExpire) } });
      return await create();
    } catch (error) {
      this.storage.takeBack(key);
      throw error;
    }
  }
}
