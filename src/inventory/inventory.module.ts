import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DueHolds } from './due-holds';
import { EventClosingService } from './event-closing.service';
import { HoldPlacement } from './hold-placement';
import { HoldResolution } from './hold-resolution';
import { InventoryRepository } from './inventory.repository';
import { InventoryService } from './inventory.service';
import { OrderChangesService } from './order-changes.service';
import { NetworkKeys } from './network-keys';
import { OrderCodes } from './order-codes';
import { OrderRefunds } from './order-refunds.service';
import { PaymentOpening } from './payment-opening.service';
import { PaymentSettlement } from './payment-settlement.service';
import { Quota } from './quota.entity';
import { ReleaseLog } from './release-log';
import { StuckRows } from './stuck-rows';

@Module({
  imports: [TypeOrmModule.forFeature([Quota])],
  providers: [
    InventoryRepository,
    NetworkKeys,
    OrderCodes,
    StuckRows,
    DueHolds,
    HoldPlacement,
    HoldResolution,
    InventoryService,
    OrderChangesService,
    EventClosingService,
    PaymentOpening,
    PaymentSettlement,
    OrderRefunds,
    ReleaseLog,
  ],
  exports: [
    InventoryService,
    OrderChangesService,
    EventClosingService,
    PaymentOpening,
    PaymentSettlement,
    OrderRefunds,
    OrderCodes,
  ],
})
export class InventoryModule {}
