import { Injectable } from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';
import { TillWatch } from '../payments/till-watch.service';

/** What of the money waits, and whether the books agree. Read when scraped. */
@Injectable()
export class TillMetrics {
  constructor(registry: Registry, watch: TillWatch) {
    const refunds = new Gauge({
      name: 'tixxety_refunds',
      help: 'Refunds that are not done, by status: pending, or failed and waiting to be retried; counted up to 10,001',
      labelNames: ['status'],
      registers: [registry],
    });
    const payments = new Gauge({
      name: 'tixxety_payments_open',
      help: 'Payments that are open though their hold has ended; counted up to 10,001',
      registers: [registry],
    });
    const age = new Gauge({
      name: 'tixxety_reconciliation_age_seconds',
      help: 'Time since our books were last held against those of the payment provider',
      registers: [registry],
    });
    new Gauge({
      name: 'tixxety_money_differences',
      help: 'Differences between our books and those of the provider that need a person, beside refunds that failed, and of the latest orders with the ledger',
      registers: [registry],
      async collect() {
        const till = await watch.look().catch(() => UNKNOWN);
        refunds.set({ status: 'pending' }, till.refundsPending);
        refunds.set({ status: 'failed' }, till.refundsFailed);
        payments.set(till.paymentsOverdue);
        age.set(till.reconciledSecondsAgo);
        this.set(till.differences);
      },
    });
  }
}

/** While the database does not answer. */
const UNKNOWN = {
  refundsPending: NaN,
  refundsFailed: NaN,
  paymentsOverdue: NaN,
  reconciledSecondsAgo: NaN,
  differences: NaN,
};
