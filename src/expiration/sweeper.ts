import { Inject, Injectable } from '@nestjs/common';
import { RecurringTask } from '../jobs/recurring-task';
import { TicketsService } from '../tickets/tickets.service';

/** Milliseconds between two sweeps. */
export const SWEEP_INTERVAL = Symbol('sweep interval');

/** Releases due holds again and again, with or without the queue. */
@Injectable()
export class Sweeper extends RecurringTask {
  constructor(
    private readonly tickets: TicketsService,
    @Inject(SWEEP_INTERVAL) intervalMs: number,
  ) {
    super({ intervalMs, failing: "Holds can't be released", recovered: 'Holds are being released again' });
  }

  protected override async run(): Promise<void> {
    await this.tickets.releaseDueHolds('sweeper');
  }
}
