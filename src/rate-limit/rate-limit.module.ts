import { getQueueToken } from '@nestjs/bull';
import { Module, type DynamicModule } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import type { Queue } from 'bull';
import type { Settings } from '../config/settings';
import { EXPIRATION_QUEUE, redisPrefix } from '../queue/job-types';
import { CsvExports } from './csv-exports';
import { EventLimit } from './event-limit';
import { ForgeryLimit } from './forgery-limit';
import { GuessLimit } from './guess-limit';
import { HourlyStorage, RateLimitStorage } from './rate-limit.storage';
import { RedisWindows } from './redis-windows';
import { Turns } from './turns';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What the rate limit guard needs: how much is allowed, and where it is counted. */
@Module({})
export class RateLimitModule {
  /** @param installation the name of the database: those who share a Redis and not a database count apart */
  static register({ RATE_LIMIT_PER_MINUTE, REDIS_URL }: Settings, installation: string): DynamicModule {
    const key = `${redisPrefix(installation)}:rate-limit`;
    const inject = REDIS_URL === undefined ? [] : [getQueueToken(EXPIRATION_QUEUE)];
    const throttler = ThrottlerModule.forRootAsync({
      inject,
      useFactory: (queue?: Queue) => ({
        throttlers: [{ ttl: MINUTE_MS, limit: RATE_LIMIT_PER_MINUTE }],
        storage: new RateLimitStorage(MINUTE_MS, queue && new RedisWindows(queue.client, MINUTE_MS, key)),
      }),
    });
    return {
      module: RateLimitModule,
      global: true,
      imports: [throttler],
      providers: [
        GuessLimit,
        ForgeryLimit,
        EventLimit,
        Turns,
        CsvExports,
        {
          provide: HourlyStorage,
          inject,
          useFactory: (queue?: Queue) =>
            new HourlyStorage(HOUR_MS, queue && new RedisWindows(queue.client, HOUR_MS, `${key}:hourly`)),
        },
      ],
      exports: [GuessLimit, ForgeryLimit, EventLimit, Turns, CsvExports],
    };
  }
}
