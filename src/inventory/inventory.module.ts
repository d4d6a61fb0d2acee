import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DueHolds } from './due-holds';
import { HoldPlacement } from './hold-placement';
import { HoldResolution } from './hold-resolution';
import { Inventory } from './inventory.entity';
import { InventoryRepository } from './inventory.repository';
import { InventoryService } from './inventory.service';
import { NetworkKeys } from './network-keys';
import { ReleaseLog } from './release-log';
import { StuckRows } from './stuck-rows';

@Module({
  imports: [TypeOrmModule.forFeature([Inventory])],
  providers: [
    InventoryRepository,
    NetworkKeys,
    StuckRows,
    DueHolds,
    HoldPlacement,
    HoldResolution,
    InventoryService,
    ReleaseLog,
  ],
  exports: [InventoryService],
})
export class InventoryModule {}
