import { Injectable, Logger } from '@nestjs/common';
import { IdempotencyService } from '../idempotency/idempotency.service';
import { RecurringTask } from '../jobs/recurring-task';

const INTERVAL_MS = 60_000;

/** Deletes idempotency keys that have expired. */
@Injectable()
export class Purger extends RecurringTask {
  private readonly purges = new Logger(Purger.name);

  constructor(private readonly idempotency: IdempotencyService) {
    super({
      intervalMs: INTERVAL_MS,
      failing: "Expired idempotency keys can't be deleted",
      recovered: 'Expired idempotency keys are being deleted again',
    });
  }

  protected override async run(): Promise<void> {
    const deleted = await this.idempotency.purge();
    if (deleted > 0) this.purges.log({ msg: `Deleted ${deleted} expired idempotency keys`, deleted });
  }
}
