import { Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

export interface Recurrence {
  /** Milliseconds from the end of a run to the start of the next. */
  intervalMs: number;
  /** What the log says, once, when runs begin to fail, such as "Holds can't be released". */
  failing: string;
  /** What the log says when a run succeeds again, such as "Holds are being released again". */
  recovered: string;
}

/** Does its work again and again, one run at a time. A run that fails is told once and tried again at the next turn. */
export abstract class RecurringTask implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(this.constructor.name);
  private timer?: NodeJS.Timeout;
  private running: Promise<void> = Promise.resolve();
  private isFailing = false;
  /** True once the process ends: long work shall stop where it can be taken up again. */
  protected isStopped = false;

  constructor(private readonly recurrence: Recurrence) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  /** Resolves when the run that is under way has ended. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  protected abstract run(): Promise<unknown>;

  private schedule(): void {
    if (this.isStopped) return;
    this.timer = setTimeout(() => {
      this.running = this.attempt().finally(() => this.schedule());
    }, this.recurrence.intervalMs);
  }

  private async attempt(): Promise<void> {
    const { failing, recovered } = this.recurrence;
    try {
      await this.run();
      if (this.isFailing) this.logger.log(`${recovered}.`);
      this.isFailing = false;
    } catch (error) {
      if (!this.isFailing) this.logger.warn(`${failing}: ${(error as Error).message}. Trying again.`);
      this.isFailing = true;
    }
  }
}
