import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DueHolds } from './due-holds';
import { HoldPlacement } from './hold-placement';
import { HoldResolution } from './hold-resolution';
import { InventoryRepository } from './inventory.repository';
import { InventoryService } from './inventory.service';
import { OrderCodes } from './order-codes';
import { Quota } from './quota.entity';
import { ReleaseLog } from './release-log';
import { StuckRows } from './stuck-rows';

@Module({
  imports: [TypeOrmModule.forFeature([Quota])],
  providers: [
    InventoryRepository,
    OrderCodes,
    StuckRows,
    DueHolds,
    HoldPlacement,
    HoldResolution,
    InventoryService,
    ReleaseLog,
  ],
  exports: [InventoryService, OrderCodes],
})
export class InventoryModule {}
