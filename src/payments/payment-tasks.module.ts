import { Module } from '@nestjs/common';
import { OpenPaymentsTask } from './open-payments.task';
import { PaymentsModule } from './payments.module';

/** What happens to payments by itself: in workers, and without Redis in the API process. */
@Module({
  imports: [PaymentsModule],
  providers: [OpenPaymentsTask],
})
export class PaymentTasksModule {}
