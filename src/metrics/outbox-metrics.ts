import { Injectable } from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';
import { OutboxService } from '../jobs/outbox.service';

/** How much the outbox has, and for how long. Read when scraped. */
@Injectable()
export class OutboxMetrics {
  constructor(registry: Registry, outbox: OutboxService) {
    const oldest = new Gauge({
      name: 'tixxety_outbox_oldest_due_seconds',
      help: 'How long the oldest message has been due that no relay has taken; 0 where none is due',
      registers: [registry],
    });
    new Gauge({
      name: 'tixxety_outbox_messages',
      help: 'Messages of the outbox, by state: waiting for their time, due, or dead; counted up to 10,001',
      labelNames: ['state'],
      registers: [registry],
      async collect() {
        const { waiting, due, dead, oldestDueSeconds } = await outbox.countBacklog().catch(() => UNKNOWN);
        this.set({ state: 'waiting' }, waiting);
        this.set({ state: 'due' }, due);
        this.set({ state: 'dead' }, dead);
        oldest.set(oldestDueSeconds);
      },
    });
  }
}

/** While the database does not answer. */
const UNKNOWN = { waiting: NaN, due: NaN, dead: NaN, oldestDueSeconds: NaN };
