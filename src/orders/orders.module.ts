import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CheckInModule } from '../check-in/check-in.module';
import { EventsModule } from '../events/events.module';
import { InventoryModule } from '../inventory/inventory.module';
import { OutboxModule } from '../jobs/jobs.module';
import { UsersModule } from '../users/users.module';
import { EventCancellationController } from './event-cancellation.controller';
import { EventCancellation } from './event-cancellation.entity';
import { EventCancellationService } from './event-cancellation.service';
import { EventSummaryController } from './event-summary.controller';
import { EventSummaryService } from './event-summary.service';
import { Order } from './order.entity';
import { OrdersController } from './orders.controller';
import { OrdersRepository } from './orders.repository';
import { OrdersService } from './orders.service';

@Module({
  imports: [
    TypeOrmModule.forFeature([Order, EventCancellation]),
    InventoryModule,
    EventsModule,
    UsersModule,
    OutboxModule,
    CheckInModule,
  ],
  controllers: [OrdersController, EventCancellationController, EventSummaryController],
  providers: [OrdersRepository, OrdersService, EventCancellationService, EventSummaryService],
  exports: [OrdersService],
})
export class OrdersModule {}
