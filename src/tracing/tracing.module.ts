import { Module, type DynamicModule } from '@nestjs/common';
import type { Settings } from '../config/settings';
import type { TixxetyDataSource } from '../database/tixxety-data-source';

/** Sends traces where `OTEL_EXPORTER_OTLP_ENDPOINT` says; without it nothing of OpenTelemetry's SDK is even loaded. */
@Module({})
export class TracingModule {
  static register(
    role: 'api' | 'worker',
    { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }: Settings,
    dataSource: TixxetyDataSource,
  ): DynamicModule {
    if (endpoint === undefined) return { module: TracingModule };
    const useFactory = async () => (await import('./tracing.js')).startTracing(role, endpoint, dataSource);
    return { module: TracingModule, providers: [{ provide: 'tracing', useFactory }] };
  }
}
