import { Injectable } from '@nestjs/common';
import { OrderRefunds } from '../inventory/order-refunds.service';
import { ENDED_DISPUTE_TOPIC } from '../inventory/payment-settlement.service';
import { OutboxService } from '../jobs/outbox.service';
import { WakeUpSender } from '../queue/wake-up-sender';
import { RefundsRepository } from './refunds.repository';

/**
 * Gives back what a bank left when it decided a dispute, where the event was cancelled: its cancellation had to leave what
 * the bank might take. Delivered twice, the message finds nothing left.
 */
@Injectable()
export class EndedDisputes {
  constructor(
    private readonly repository: RefundsRepository,
    private readonly refunds: OrderRefunds,
    private readonly wakeUps: WakeUpSender,
    outbox: OutboxService,
  ) {
    outbox.handle(ENDED_DISPUTE_TOPIC, ({ payload }) =>
      this.refund((payload as { orderId: number }).orderId),
    );
  }

  private async refund(orderId: number): Promise<void> {
    if (!(await this.repository.isOfCancelledEvent(orderId))) return;
    await this.refunds.request(orderId, { by: 'anyone' }, { keepPlaces: false }, 'event_cancelled');
    this.wakeUps.wakeRelay();
  }
}
