import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { InventoryModule } from '../inventory/inventory.module';
import { TicketTypesModule } from '../ticket-types/ticket-types.module';
import { UsersModule } from '../users/users.module';
import { Event } from './event.entity';
import { EventAccessService } from './event-access.service';
import { EventChangesService } from './event-changes.service';
import { EventsController } from './events.controller';
import { EventsRepository } from './events.repository';
import { EventsService } from './events.service';

@Module({
  imports: [TypeOrmModule.forFeature([Event]), InventoryModule, TicketTypesModule, UsersModule],
  controllers: [EventsController],
  providers: [EventsRepository, EventsService, EventAccessService, EventChangesService],
  exports: [EventsService, EventAccessService],
})
export class EventsModule {}
