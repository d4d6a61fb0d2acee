import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { InventoryModule } from '../inventory/inventory.module';
import { TicketType } from './ticket-type.entity';
import { TicketTypesRepository } from './ticket-types.repository';
import { TicketTypesService } from './ticket-types.service';

@Module({
  imports: [TypeOrmModule.forFeature([TicketType]), InventoryModule],
  providers: [TicketTypesRepository, TicketTypesService],
  exports: [TicketTypesService],
})
export class TicketTypesModule {}
