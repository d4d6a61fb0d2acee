import { Inject, Injectable, Logger } from '@nestjs/common';
import { RecurringTask } from '../jobs/recurring-task';
import { PaymentProvider, ProviderRefusal, ProviderUnavailable } from './payment-provider';
import { PaymentsRepository, type PaymentAtProvider } from './payments.repository';
import { ProviderPayments } from './provider-payments.service';

const INTERVAL_MS = 500;
/** Asked about at once by one process. */
const AT_ONCE = 20;

/**
 * Asks the provider how payments stand whose time has come: that of the end of their hold, where they are cancelled first, and
 * now and then in between, so that none is forgotten of which an event was lost.
 */
@Injectable()
export class OpenPaymentsTask extends RecurringTask {
  private readonly payments = new Logger('Payments');

  constructor(
    @Inject(PaymentProvider) private readonly provider: PaymentProvider | undefined,
    private readonly repository: PaymentsRepository,
    private readonly providerPayments: ProviderPayments,
  ) {
    super({
      intervalMs: INTERVAL_MS,
      failing: "Open payments can't be looked at",
      recovered: 'Open payments are being looked at again',
    });
  }

  override async run(): Promise<void> {
    if (!this.provider) return;
    for (let found = AT_ONCE; found === AT_ONCE && !this.isStopped;) {
      const due = await this.repository.claimToAsk(this.provider.name, AT_ONCE);
      await Promise.all(due.map((payment) => this.look(payment)));
      found = due.length;
    }
  }

  private async look(payment: PaymentAtProvider): Promise<void> {
    const isOpen = payment.status === 'requires_action' || payment.status === 'processing';
    // Nothing is begun for a payment that has ended here.
    if (!isOpen && payment.providerPayment === null) return;
    try {
      if (isOpen && payment.isEnding) await this.end(payment);
      else await this.providerPayments.ask(payment);
    } catch (error) {
      if (!(error instanceof ProviderRefusal || error instanceof ProviderUnavailable)) throw error;
      this.payments.warn(`Payment ${payment.id} could not be asked about: ${error.message}`);
    }
  }

  private async end(payment: PaymentAtProvider): Promise<void> {
    try {
      await this.providerPayments.cancel(payment);
    } catch (error) {
      if (!(error instanceof ProviderRefusal) || payment.providerPayment === null) throw error;
      // Its money may be on its way.
      await this.providerPayments.ask(payment);
    }
  }
}
