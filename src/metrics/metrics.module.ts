import cluster from 'node:cluster';
import { Module, type DynamicModule } from '@nestjs/common';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Settings } from '../config/settings';
import { InventoryModule } from '../inventory/inventory.module';
import { OutboxModule } from '../jobs/jobs.module';
import { PaymentsModule } from '../payments/payments.module';
import { VERSION } from '../version';
import { offerMetrics } from './cluster-metrics';
import { InventoryMetrics } from './inventory-metrics';
import { MetricsController } from './metrics.controller';
import { MetricsService } from './metrics.service';
import { MoneyMetrics } from './money-metrics';
import { OutboxMetrics } from './outbox-metrics';
import { RequestMetrics } from './request-metrics';
import { ResourceMetrics } from './resource-metrics';
import { SeatMetrics } from './seat-metrics';
import { TillMetrics } from './till-metrics';

/** Counts and measures what the process does, for Prometheus to fetch. */
@Module({})
export class MetricsModule {
  static register(role: 'api' | 'worker', { REDIS_URL }: Settings): DynamicModule {
    const endsHolds = role === 'worker' || REDIS_URL === undefined;
    return {
      module: MetricsModule,
      imports: [InventoryModule, OutboxModule, PaymentsModule],
      controllers: [MetricsController],
      providers: [
        { provide: Registry, useFactory: () => createRegistry(role) },
        MetricsService,
        ResourceMetrics,
        SeatMetrics,
        MoneyMetrics,
        ...(role === 'api' ? [RequestMetrics] : []),
        ...(endsHolds ? [InventoryMetrics, OutboxMetrics, TillMetrics] : []),
      ],
    };
  }
}

function createRegistry(role: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'tixxety_info',
    help: '1, with what this process is',
    labelNames: ['role', 'version'],
    registers: [registry],
  }).set({ role, version: VERSION }, 1);
  if (cluster.isWorker) offerMetrics(registry);
  return registry;
}
