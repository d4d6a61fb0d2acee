import { Inject, Injectable, Logger } from '@nestjs/common';
import { PaymentSettlement } from '../inventory/payment-settlement.service';
import { Problem } from '../problems/problem';
import { ForgedEvent, PaymentProvider, ProviderRefusal, ProviderUnavailable } from './payment-provider';
import { RefundSending } from './refund-sending';

const LONGEST_ID = 255;

type Headers = Record<string, string | string[] | undefined>;

/** Takes the events of the provider: each is a reason to ask it how the payment stands, and never the truth. */
@Injectable()
export class ProviderEvents {
  private readonly logger = new Logger('Payments');

  constructor(
    @Inject(PaymentProvider) private readonly provider: PaymentProvider | undefined,
    private readonly settlement: PaymentSettlement,
    private readonly refunds: RefundSending,
  ) {}

  /**
   * Takes an event in. The same one again changes nothing.
   *
   * @param body as it came
   * @throws {Problem} `route_not_found` for a provider that is not configured, `event_not_authentic`;
   *   `service_unavailable` where it is to be sent again: the provider can't be asked, or a payment that says it is ours is
   *   not known
   */
  async receive(name: string, body: Buffer, headers: Headers): Promise<void> {
    const { provider } = this;
    if (provider?.name !== name) throw new Problem('route_not_found');
    const event = this.read(provider, body, headers);
    if (event.payment === undefined) return;
    const { id: eventId, payment: providerPayment, paymentId, isSuccess, succeededRefundId } = event;
    const found = await this.settlement.find({
      provider: name,
      providerPayment,
      paymentId,
      eventId,
      isSuccess,
      succeededRefundId,
    });
    // Most events tell of a success that the provider's answer has told before.
    if (found.isKnown) return;
    try {
      const said = await provider.get(event.payment);
      const paymentId = said.paymentId ?? event.paymentId;
      // One that may tell of a refund is not kept: if the provider can't be asked, it has to come again.
      const kept = found.isGivingBack ? undefined : eventId;
      const payment = await this.settlement.apply(name, said, { paymentId, eventId: kept });
      if (payment?.isGivingBack) await this.refunds.ask(payment, event.payment);
      else if (!payment && paymentId !== undefined) {
        this.logger.warn(
          `Event ${event.id} is about payment ${paymentId} (${event.payment}), which is unknown.`,
        );
        throw again();
      }
    } catch (error) {
      // It does not know its own payment: nothing of ours.
      if (error instanceof ProviderRefusal && event.paymentId === undefined) return;
      if (error instanceof ProviderRefusal || error instanceof ProviderUnavailable) throw again();
      throw error;
    }
  }

  private read(provider: PaymentProvider, body: Buffer, headers: Headers) {
    try {
      const event = provider.readEvent(body, headers);
      if (event.id.length > LONGEST_ID) throw new ForgedEvent('No provider has ids of this length');
      return event;
    } catch (error) {
      if (error instanceof ForgedEvent) throw new Problem('event_not_authentic');
      throw error;
    }
  }
}

/** The provider sends it again, later and later. */
const again = () => new Problem('service_unavailable', { headers: { 'Retry-After': '10' } });
