import { Module, type DynamicModule } from '@nestjs/common';
import type { Settings } from '../config/settings';
import { IdempotencyModule } from '../idempotency/idempotency.module';
import { TicketsModule } from '../tickets/tickets.module';
import { Purger } from './purger';
import { ReleaseProcessor } from './release.processor';
import { SWEEP_INTERVAL, Sweeper } from './sweeper';

/** Half a second is the promise, and with Redis out of reach the sweeper alone has to keep it. */
const SWEEP_BESIDE_BULL_MS = 400;
const SWEEP_ALONE_MS = 200;

/** Makes holds end on time, and clears away what else has expired. */
@Module({})
export class ExpirationModule {
  static register({ REDIS_URL }: Settings): DynamicModule {
    const hasBull = REDIS_URL !== undefined;
    return {
      module: ExpirationModule,
      imports: [TicketsModule, IdempotencyModule],
      providers: [
        Sweeper,
        Purger,
        { provide: SWEEP_INTERVAL, useValue: hasBull ? SWEEP_BESIDE_BULL_MS : SWEEP_ALONE_MS },
        ...(hasBull ? [ReleaseProcessor] : []),
      ],
    };
  }
}
