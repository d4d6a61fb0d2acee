import { Injectable } from '@nestjs/common';
import { RecurringTask } from '../jobs/recurring-task';
import { Reconciliation } from './reconciliation';

const INTERVAL_MS = 60_000;

/** Holds our books against those of the payment provider once a minute. */
@Injectable()
export class ReconciliationTask extends RecurringTask {
  constructor(private readonly reconciliation: Reconciliation) {
    super({
      intervalMs: INTERVAL_MS,
      failing: "Payments can't be held against those of the provider",
      recovered: 'Payments are held against those of the provider again',
    });
  }

  override async run(): Promise<void> {
    await this.reconciliation.walk(() => this.isStopped);
  }
}
