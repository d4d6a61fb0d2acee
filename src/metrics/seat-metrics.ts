import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Histogram, Registry } from 'prom-client';
import { batches, releases, type Batch, type Release, type ReleaseTrigger } from '../telemetry/channels';

const BATCHES: Batch['name'][] = [
  'place_holds',
  'resolve_holds',
  'begin_payments',
  'settle_payments',
  'check_in',
];
const TRIGGERS: ReleaseTrigger[] = ['bull', 'sweeper', 'reservation'];

/** How well seats change hands: what shares a statement, and how punctually holds end. */
@Injectable()
export class SeatMetrics implements OnModuleInit, OnModuleDestroy {
  private readonly batchSize: Histogram;
  private readonly lateness: Histogram;

  constructor(registry: Registry) {
    this.batchSize = new Histogram({
      name: 'tixxety_batch_size',
      help: 'Requests that shared one statement',
      labelNames: ['batch'],
      buckets: [1, 2, 4, 8, 16, 32, 64, 128],
      registers: [registry],
    });
    this.lateness = new Histogram({
      name: 'tixxety_hold_lateness_seconds',
      help: 'Time from the end of a hold to its release, by what noticed it: bull, sweeper or reservation',
      labelNames: ['trigger'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 30, 120],
      registers: [registry],
    });
    // Series that are there from the beginning let `rate()` see the first event too.
    for (const batch of BATCHES) this.batchSize.zero({ batch });
    for (const trigger of TRIGGERS) this.lateness.zero({ trigger });
  }

  onModuleInit(): void {
    subscribe(batches.start.name, this.countBatch);
    subscribe(releases.name, this.countRelease);
  }

  onModuleDestroy(): void {
    unsubscribe(batches.start.name, this.countBatch);
    unsubscribe(releases.name, this.countRelease);
  }

  private readonly countBatch = (message: unknown) => {
    const { name, requests } = message as Batch;
    this.batchSize.labels(name).observe(requests.length);
  };

  private readonly countRelease = (message: unknown) => {
    const { trigger, lateSeconds } = message as Release;
    const lateness = this.lateness.labels(trigger);
    for (const seconds of lateSeconds) lateness.observe(seconds);
  };
}
