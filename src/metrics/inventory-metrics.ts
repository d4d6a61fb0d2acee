import { Injectable } from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';
import { InventoryService } from '../inventory/inventory.service';

/** Events looked at in turn by one scrape: a million of them are gone through in a few hours. */
const SAMPLE = 1_000;

/**
 * Whether the counters of seats agree with the tickets, looked at in samples: the events of the latest tickets, the
 * next ones in turn, and those that were found wrong before.
 */
@Injectable()
export class InventoryMetrics {
  private lastEventId = 0;
  private drifted: string[] = [];

  constructor(
    registry: Registry,
    private readonly inventory: InventoryService,
  ) {
    const look = () => this.look();
    new Gauge({
      name: 'tixxety_inventory_drift_seats',
      help: 'Held seats by which the counters differ from the tickets, over the events sampled: anything but 0 is a defect',
      registers: [registry],
      async collect() {
        this.set(await look());
      },
    });
  }

  /** @returns seats; NaN while the database does not answer */
  private async look(): Promise<number> {
    try {
      const drift = await this.inventory.sampleDrift(this.drifted, this.lastEventId, SAMPLE);
      this.lastEventId = drift.lastEventId;
      this.drifted = drift.eventIds.slice(0, SAMPLE);
      return drift.seats;
    } catch {
      return NaN;
    }
  }
}
