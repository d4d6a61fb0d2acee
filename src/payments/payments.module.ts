import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EventsModule } from '../events/events.module';
import { InventoryModule } from '../inventory/inventory.module';
import { OutboxModule } from '../jobs/jobs.module';
import { OrdersModule } from '../orders/orders.module';
import { EndedDisputes } from './ended-disputes';
import { LedgerEntry } from './ledger-entry.entity';
import { PaymentClosing } from './payment-closing';
import { Payment } from './payment.entity';
import { PaymentProviderModule } from './payment-provider.module';
import { PaymentsController } from './payments.controller';
import { PaymentsRepository } from './payments.repository';
import { PaymentsService } from './payments.service';
import { ProviderEventRecord } from './provider-event.entity';
import { ProviderEventsController } from './provider-events.controller';
import { ProviderEvents } from './provider-events.service';
import { ProviderPayments } from './provider-payments.service';
import { Reconciliation } from './reconciliation';
import { ReconciliationRecord } from './reconciliation.entity';
import { RefundSending } from './refund-sending';
import { Refund } from './refund.entity';
import { RefundsController } from './refunds.controller';
import { RefundsRepository } from './refunds.repository';
import { RefundsService } from './refunds.service';
import { TillWatch } from './till-watch.service';

@Module({
  imports: [
    TypeOrmModule.forFeature([Payment, Refund, LedgerEntry, ProviderEventRecord, ReconciliationRecord]),
    InventoryModule,
    EventsModule,
    OrdersModule,
    OutboxModule,
    PaymentProviderModule,
  ],
  controllers: [PaymentsController, RefundsController, ProviderEventsController],
  providers: [
    PaymentsRepository,
    RefundsRepository,
    PaymentsService,
    ProviderPayments,
    PaymentClosing,
    ProviderEvents,
    RefundsService,
    RefundSending,
    Reconciliation,
    TillWatch,
    EndedDisputes,
  ],
  exports: [
    TillWatch,
    Reconciliation,
    PaymentProviderModule,
    PaymentsRepository,
    RefundsRepository,
    ProviderPayments,
    RefundSending,
  ],
})
export class PaymentsModule {}
