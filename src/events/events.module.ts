import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EventAccessModule } from '../event-access/event-access.module';
import { InventoryModule } from '../inventory/inventory.module';
import { TicketTypesModule } from '../ticket-types/ticket-types.module';
import { UsersModule } from '../users/users.module';
import { Event } from './event.entity';
import { EventChangesService } from './event-changes.service';
import { EventsController } from './events.controller';
import { EventsRepository } from './events.repository';
import { EventsService } from './events.service';

@Module({
  imports: [
    TypeOrmModule.forFeature([Event]),
    EventAccessModule,
    InventoryModule,
    TicketTypesModule,
    UsersModule,
  ],
  controllers: [EventsController],
  providers: [EventsRepository, EventsService, EventChangesService],
  exports: [EventsService, EventAccessModule],
})
export class EventsModule {}
