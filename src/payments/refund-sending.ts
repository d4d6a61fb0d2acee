import { Inject, Injectable, Logger } from '@nestjs/common';
import { OrderRefunds, REFUND_TOPIC, type RefundNews } from '../inventory/order-refunds.service';
import { OutboxService } from '../jobs/outbox.service';
import { settledRefunds } from '../telemetry/channels';
import {
  PaymentProvider,
  ProviderRefusal,
  ProviderUnavailable,
  type ProviderRefund,
} from './payment-provider';
import { RefundsRepository, type RefundToSend } from './refunds.repository';

/**
 * Has the provider give money back: refund and try make the key of the call, so that a message which is delivered twice at
 * once, or after a crash, gives nothing twice.
 */
@Injectable()
export class RefundSending {
  private readonly logger = new Logger('Refunds');

  constructor(
    @Inject(PaymentProvider) private readonly provider: PaymentProvider | undefined,
    private readonly repository: RefundsRepository,
    private readonly refunds: OrderRefunds,
    outbox: OutboxService,
  ) {
    outbox.handle(REFUND_TOPIC, ({ payload, attempt }) =>
      this.send((payload as { refundId: number }).refundId, attempt),
    );
  }

  /**
   * Takes over how the refunds of a payment stand, where one is under way or may still come back.
   *
   * @throws {ProviderRefusal | ProviderUnavailable}
   */
  async ask({ id, orderId }: { id: number; orderId: number }, providerPayment: string): Promise<void> {
    if (!this.provider || !(await this.repository.isUnsettled(orderId, id))) return;
    await this.takeOverAll(await this.provider.refundsOf(providerPayment));
  }

  /** The same for all refunds of a payment. */
  async askAll(providerPayment: string): Promise<void> {
    if (this.provider) await this.takeOverAll(await this.provider.refundsOf(providerPayment));
  }

  private async takeOverAll(refunds: readonly ProviderRefund[]): Promise<void> {
    for (const said of refunds) {
      const refund =
        said.refundId === undefined ? undefined : await this.repository.findToSend(said.refundId);
      // Any try may have succeeded; only the last can fail, or come back.
      if (refund && (said.status === 'succeeded' || said.id === refund.providerRefund))
        await this.takeOver(refund, said);
    }
  }

  /** @param delivery of the message: 1 for the first */
  private async send(refundId: number, delivery: number): Promise<void> {
    const refund = await this.repository.findToSend(refundId);
    if (refund?.status !== 'pending') return;
    await this.takeOver(refund, await this.giveBack(refund, delivery));
  }

  /**
   * Looks first whether an earlier call, whose answer was lost or an error, gave the money back: providers keep a key for a
   * day, and until then answer it with the same error.
   *
   * @throws {ProviderUnavailable} the message is delivered again, with the same key
   */
  private async giveBack(refund: RefundToSend, delivery: number): Promise<RefundNews> {
    const { id: refundId, attempt, amount, currency, provider: name, providerPayment: payment } = refund;
    const { provider } = this;
    if (provider?.name !== name || payment === null)
      throw new ProviderUnavailable(`${name} is not configured`);
    try {
      const mayBeDone = attempt > 1 || delivery > 1 || refund.isOld;
      const before = mayBeDone ? await provider.refundsOf(payment) : [];
      const done = before.find((other) => other.refundId === refundId && other.status !== 'failed');
      return done ?? (await provider.refund({ refundId, attempt, payment, amount, currency }));
    } catch (error) {
      if (!(error instanceof ProviderRefusal)) throw error;
      return { status: 'failed', failureCode: error.code };
    }
  }

  private async takeOver(
    { id, attempt, amount, status: was }: RefundToSend,
    said: RefundNews,
  ): Promise<void> {
    const settled = await this.refunds.settle(id, attempt, said);
    if (!settled?.isNew) return;
    settledRefunds.publish({ status: settled.status });
    if (settled.status === 'failed')
      this.logger.warn({
        msg: `Refund ${id} ${was === 'succeeded' ? 'came back' : 'failed'}: ${said.failureCode ?? 'no reason given'}. It waits to be retried.`,
        refund_id: id,
        amount,
      });
  }
}
