import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { CANCEL_TOPIC } from '../inventory/payment-settlement.service';
import { InventoryService } from '../inventory/inventory.service';
import { OutboxService } from '../jobs/outbox.service';
import { Problem } from '../problems/problem';
import { ProviderRefusal } from './payment-provider';
import { PaymentsRepository } from './payments.repository';
import { ProviderPayments } from './provider-payments.service';

/** A request waits no longer for the provider. */
const PATIENCE_MS = 1_500;

/** Ends payments at their provider: an order that is to end first, and those that failed here and might succeed there. */
@Injectable()
export class PaymentClosing {
  private readonly logger = new Logger('Payments');

  constructor(
    private readonly repository: PaymentsRepository,
    private readonly payments: ProviderPayments,
    inventory: InventoryService,
    outbox: OutboxService,
  ) {
    inventory.closePaymentsBy((orderId) => this.close(orderId));
    outbox.handle(CANCEL_TOPIC, ({ payload }) => this.cancelFailed(payload as { paymentId: number }));
  }

  /**
   * Ends the open payment of an order, if there is one: without money, or with it where that came first.
   *
   * @throws {Problem} `payment_in_progress` where the provider does not end it in time
   */
  async close(orderId: number): Promise<void> {
    const open = await this.repository.findOpen(orderId);
    if (!open) return;
    const closed = this.payments.cancel(open).then(
      ({ status }) => status === 'succeeded' || status === 'failed',
      (error: unknown) => {
        this.logger.warn(`Payment ${open.id} could not be cancelled: ${(error as Error).message}`);
        return false;
      },
    );
    const isClosed = await Promise.race([closed, sleep(PATIENCE_MS, false, { ref: false })]);
    if (!isClosed) throw new Problem('payment_in_progress', { headers: { 'Retry-After': '1' } });
  }

  private async cancelFailed({ paymentId }: { paymentId: number }): Promise<void> {
    const payment = await this.repository.find(paymentId);
    if (payment?.status !== 'failed' || payment.providerPayment === null) return;
    if (payment.provider !== this.payments.providerName) return;
    await this.payments.cancel(payment).catch((error: unknown) => {
      // It has ended there, too.
      if (!(error instanceof ProviderRefusal)) throw error;
    });
  }
}
