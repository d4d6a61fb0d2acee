import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { TicketsService } from '../tickets/tickets.service';

/** Milliseconds between two sweeps. */
export const SWEEP_INTERVAL = Symbol('sweep interval');

/** Releases what is due again and again, whatever became of the queue. */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Sweeper.name);
  private timer?: NodeJS.Timeout;
  private sweeping: Promise<void> = Promise.resolve();
  private isStopped = false;
  private isFailing = false;

  constructor(
    private readonly tickets: TicketsService,
    @Inject(SWEEP_INTERVAL) private readonly intervalMs: number,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.sweeping;
  }

  private schedule(): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      this.sweeping = this.sweep().finally(() => this.schedule());
    }, this.intervalMs);
  }

  private async sweep(): Promise<void> {
    try {
      await this.tickets.releaseDueHolds('sweeper');
      if (this.isFailing) this.logger.log('Holds are being released again.');
      this.isFailing = false;
    } catch (error) {
      if (!this.isFailing)
        this.logger.warn(`Holds can't be released: ${(error as Error).message}. Trying again.`);
      this.isFailing = true;
    }
  }
}
