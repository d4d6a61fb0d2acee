import { Logger } from '@nestjs/common';
import type Redis from 'ioredis';

/** Bull tries again each second; what has not failed for so long works again. */
const SOUND_AFTER_MS = 3_000;

/** Whether Redis does what Bull asks of it. Says once that it does not, and once that it does again. */
export class RedisHealth {
  private readonly logger = new Logger('Queue');
  private timer?: NodeJS.Timeout;
  private isFailing = false;

  /** @param client the connection that commands go through */
  constructor(private readonly client: Redis) {}

  /** False while Redis is out of reach, or refuses what is asked of it: the password, a command, more memory. */
  get isSound(): boolean {
    return this.client.status === 'ready' && !this.isFailing;
  }

  /** Takes down that something was refused or did not arrive. */
  failed({ message }: Error): void {
    if (!this.isFailing) {
      this.logger.warn(
        `Redis at REDIS_URL is out of reach (${message}): holds are released by sweeping until it is back.`,
      );
    }
    this.isFailing = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), SOUND_AFTER_MS).unref();
  }

  private look(): void {
    if (this.client.status !== 'ready') {
      this.timer = setTimeout(() => this.look(), SOUND_AFTER_MS).unref();
      return;
    }
    this.isFailing = false;
    this.logger.log('Redis is back.');
  }
}
