import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Counter, Gauge, Registry } from 'prom-client';
import { SilentDevices } from '../check-in/silent-devices';
import { scans, type Scan } from '../telemetry/channels';

const RESULTS = [
  'admitted',
  'already_in',
  'left',
  'void',
  'blocked',
  'not_paid',
  'wrong_event',
  'not_valid',
  'conflict',
];

/** What happens at the gates. */
@Injectable()
export class GateMetrics implements OnModuleInit, OnModuleDestroy {
  private readonly scans: Counter;

  constructor(registry: Registry, devices: SilentDevices) {
    this.scans = new Counter({
      name: 'tixxety_scans_total',
      help: 'Tickets that were scanned, by what it came to; a conflict: two devices let the same ticket in',
      labelNames: ['result'],
      registers: [registry],
    });
    for (const result of RESULTS) this.scans.inc({ result }, 0);
    new Gauge({
      name: 'tixxety_gate_devices_silent',
      help: 'Devices of events that are under way which have not called for ten minutes',
      registers: [registry],
      async collect() {
        this.set(await devices.count().catch(() => NaN));
      },
    });
  }

  onModuleInit(): void {
    subscribe(scans.name, this.count);
  }

  onModuleDestroy(): void {
    unsubscribe(scans.name, this.count);
  }

  private readonly count = (message: unknown) => {
    this.scans.inc({ result: (message as Scan).result });
  };
}
