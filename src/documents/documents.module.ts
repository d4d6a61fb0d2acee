import { Module } from '@nestjs/common';
import { CheckInModule } from '../check-in/check-in.module';
import { EventsModule } from '../events/events.module';
import { InventoryModule } from '../inventory/inventory.module';
import { OrdersModule } from '../orders/orders.module';
import { CalendarsController } from './calendars.controller';
import { DocumentPool } from './document-pool';
import { DocumentsController } from './documents.controller';
import { DocumentsRepository } from './documents.repository';
import { DocumentsService } from './documents.service';

@Module({
  imports: [CheckInModule, EventsModule, InventoryModule, OrdersModule],
  controllers: [DocumentsController, CalendarsController],
  providers: [DocumentsRepository, DocumentsService, DocumentPool],
})
export class DocumentsModule {}
