import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { InventoryModule } from '../inventory/inventory.module';
import { UsersModule } from '../users/users.module';
import { Event } from './event.entity';
import { EventChangesService } from './event-changes.service';
import { EventsController } from './events.controller';
import { EventsRepository } from './events.repository';
import { EventsService } from './events.service';

@Module({
  imports: [TypeOrmModule.forFeature([Event]), InventoryModule, UsersModule],
  controllers: [EventsController],
  providers: [EventChangesService, EventsRepository, EventsService],
  exports: [EventsService],
})
export class EventsModule {}
