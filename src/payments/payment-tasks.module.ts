import { Module } from '@nestjs/common';
import { OpenPaymentsTask } from './open-payments.task';
import { PaymentsModule } from './payments.module';
import { ReconciliationTask } from './reconciliation.task';

/** What happens to payments by itself: in workers, and without Redis in the API process. */
@Module({
  imports: [PaymentsModule],
  providers: [OpenPaymentsTask, ReconciliationTask],
})
export class PaymentTasksModule {}
