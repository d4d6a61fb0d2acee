import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Settings } from '../config/settings';
import { OutboxMessage } from './outbox-message.entity';
import { OutboxRepository } from './outbox.repository';
import { OutboxService } from './outbox.service';
import { Relay, RELAY_INTERVAL } from './relay';
import { RelayProcessor } from './relay.processor';

const LOOK_BESIDE_BULL_MS = 1_000;
const LOOK_ALONE_MS = 200;

/** Offers the outbox to every feature. */
@Module({
  imports: [TypeOrmModule.forFeature([OutboxMessage])],
  providers: [OutboxRepository, OutboxService],
  exports: [OutboxService],
})
export class OutboxModule {}

/** Works the outbox off: in workers, and without Redis in the API process. */
@Module({})
export class RelayModule {
  static register({ REDIS_URL }: Settings): DynamicModule {
    const hasBull = REDIS_URL !== undefined;
    return {
      module: RelayModule,
      imports: [OutboxModule],
      providers: [
        Relay,
        OutboxRepository,
        { provide: RELAY_INTERVAL, useValue: hasBull ? LOOK_BESIDE_BULL_MS : LOOK_ALONE_MS },
        ...(hasBull ? [RelayProcessor] : []),
      ],
    };
  }
}
