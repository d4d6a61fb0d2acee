import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { IdempotencyService } from '../idempotency/idempotency.service';

const INTERVAL_MS = 60_000;

/** Clears away what counts as gone already. */
@Injectable()
export class Purger implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Purger.name);
  private timer?: NodeJS.Timeout;
  private purging: Promise<void> = Promise.resolve();

  constructor(private readonly idempotency: IdempotencyService) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.purging = this.purge();
    }, INTERVAL_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.purging;
  }

  private async purge(): Promise<void> {
    try {
      await this.idempotency.purge();
    } catch (error) {
      this.logger.warn(
        `Expired idempotency keys can't be deleted: ${(error as Error).message}. Trying again.`,
      );
    }
  }
}
