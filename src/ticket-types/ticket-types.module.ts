import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EventAccessModule } from '../event-access/event-access.module';
import { InventoryModule } from '../inventory/inventory.module';
import { Code } from './code.entity';
import { CodesController } from './codes.controller';
import { CodesRepository } from './codes.repository';
import { CodesService } from './codes.service';
import { QuotasController } from './quotas.controller';
import { QuotasRepository } from './quotas.repository';
import { QuotasService } from './quotas.service';
import { TicketType } from './ticket-type.entity';
import { TicketTypesController } from './ticket-types.controller';
import { TicketTypesRepository } from './ticket-types.repository';
import { TicketTypesService } from './ticket-types.service';

@Module({
  imports: [TypeOrmModule.forFeature([TicketType, Code]), InventoryModule, EventAccessModule],
  controllers: [TicketTypesController, QuotasController, CodesController],
  providers: [
    TicketTypesRepository,
    TicketTypesService,
    QuotasRepository,
    QuotasService,
    CodesRepository,
    CodesService,
  ],
  exports: [TicketTypesService],
})
export class TicketTypesModule {}
