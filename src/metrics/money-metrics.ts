import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Counter, Histogram, Registry } from 'prom-client';
import { paymentProviderOf } from '../config/payment-settings';
import { Settings } from '../config/settings';
import {
  settledPayments,
  settledRefunds,
  type PaymentOutcome,
  type RefundOutcome,
} from '../telemetry/channels';

/** What became of payments and refunds, as this process took it over. */
@Injectable()
export class MoneyMetrics implements OnModuleInit, OnModuleDestroy {
  private readonly payments: Counter;
  private readonly refunds: Counter;
  private readonly late: Counter;
  private readonly seconds: Histogram;

  constructor(registry: Registry, settings: Settings) {
    this.payments = new Counter({
      name: 'tixxety_payments_total',
      help: 'Payments that came to a state, by provider and status',
      labelNames: ['provider', 'status'],
      registers: [registry],
    });
    this.seconds = new Histogram({
      name: 'tixxety_payment_seconds',
      help: 'Time from the beginning of a payment to its money',
      labelNames: ['provider'],
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 600],
      registers: [registry],
    });
    this.late = new Counter({
      name: 'tixxety_late_money_total',
      help: 'Payments whose money bought no held places, by what became of it: sold, or the cause of its refund',
      labelNames: ['outcome'],
      registers: [registry],
    });
    this.refunds = new Counter({
      name: 'tixxety_refunds_total',
      help: 'Refunds that came to a status',
      labelNames: ['status'],
      registers: [registry],
    });
    // Series that are there from the beginning let `rate()` see the first event too.
    const provider = paymentProviderOf(settings);
    if (provider !== 'none') this.seconds.zero({ provider });
    for (const status of ['succeeded', 'failed']) {
      if (provider !== 'none') this.payments.inc({ provider, status }, 0);
      this.refunds.inc({ status }, 0);
    }
    for (const outcome of ['sold', 'places_gone']) this.late.inc({ outcome }, 0);
  }

  onModuleInit(): void {
    subscribe(settledPayments.name, this.countPayment);
    subscribe(settledRefunds.name, this.countRefund);
  }

  onModuleDestroy(): void {
    unsubscribe(settledPayments.name, this.countPayment);
    unsubscribe(settledRefunds.name, this.countRefund);
  }

  private readonly countPayment = (message: unknown) => {
    const { provider, status, seconds, refundCause, isLate } = message as PaymentOutcome;
    this.payments.inc({ provider, status });
    if (status !== 'succeeded') return;
    if (seconds !== null) this.seconds.observe({ provider }, seconds);
    if (refundCause !== null || isLate) this.late.inc({ outcome: refundCause ?? 'sold' });
  };

  private readonly countRefund = (message: unknown) => {
    this.refunds.inc({ status: (message as RefundOutcome).status });
  };
}
