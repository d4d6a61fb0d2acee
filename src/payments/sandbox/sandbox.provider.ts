import { HttpCaller } from '../../http/http-call';
import {
  PaymentProvider,
  PROVIDER_TIMEOUT_MS,
  ProviderUnavailable,
  type ListedDispute,
  type PaymentRequest,
  type ProviderEvent,
  type ProviderPayment,
  type ProviderRefund,
  type RefundRequest,
} from '../payment-provider';
import { bodyOf, eventIn, listedDisputeIn, listIn, paymentIn, refundIn } from './sandbox-answers';
import { verifySignature } from './sandbox-signature';

const MOST_BYTES = 1_024 * 1_024;
const MOST_CONNECTIONS = 256;
const PAGE = 100;

/** The sandbox as its callers see it: over HTTP, with a secret key. */
export class SandboxProvider extends PaymentProvider {
  readonly name = 'sandbox';
  private readonly caller = new HttpCaller(MOST_CONNECTIONS);

  /**
   * @param url where it is reached; asked for with each call, since a server learns its port late
   * @param secret the account's
   * @param installation tells our payments from those of other installations with the same account
   */
  constructor(
    private readonly url: () => string,
    private readonly secret: string,
    private readonly installation: string,
  ) {
    super();
  }

  async create(request: PaymentRequest): Promise<ProviderPayment> {
    const { paymentId, orderCode, amount, currency, method, returnUrl, expiresAt } = request;
    const answer = await this.call('POST', '/payments', `${this.installation}-payment-${paymentId}`, {
      amount,
      currency,
      method,
      return_url: returnUrl,
      expires_at: expiresAt?.toISOString(),
      metadata: {
        installation: this.installation,
        payment_id: String(paymentId),
        order_code: orderCode,
      },
    });
    return this.paymentOf(answer);
  }

  async get(payment: string): Promise<ProviderPayment> {
    return this.paymentOf(await this.call('GET', `/payments/${encodeURIComponent(payment)}`));
  }

  async cancel(payment: string): Promise<ProviderPayment> {
    return this.paymentOf(await this.call('POST', `/payments/${encodeURIComponent(payment)}/cancel`));
  }

  async refund({ refundId, attempt, payment, amount }: RefundRequest): Promise<ProviderRefund> {
    const answer = await this.call('POST', '/refunds', `${this.installation}-refund-${refundId}-${attempt}`, {
      payment,
      amount,
      metadata: { installation: this.installation, refund_id: String(refundId) },
    });
    return this.refundOf(answer);
  }

  async refundsOf(payment: string): Promise<ProviderRefund[]> {
    return listIn(await this.call('GET', `/payments/${encodeURIComponent(payment)}/refunds`), this.refundOf);
  }

  async listSince(since: Date, after?: string): Promise<{ payments: ProviderPayment[]; next?: string }> {
    const query = new URLSearchParams({ since: since.toISOString(), ...(after !== undefined && { after }) });
    const payments = listIn(await this.call('GET', `/payments?${query.toString()}`), this.paymentOf);
    const next = payments.length === PAGE ? payments.at(-1)?.id : undefined;
    return { payments, ...(next !== undefined && { next }) };
  }

  /** The sandbox does not say when a dispute was opened: it lists all, the open ones first. */
  async disputesSince(): Promise<ListedDispute[]> {
    return listIn(await this.call('GET', '/disputes'), listedDisputeIn);
  }

  readEvent(body: Buffer, headers: Record<string, string | string[] | undefined>): ProviderEvent {
    verifySignature(body, headers['sandbox-signature'], this.secret);
    return eventIn(body, this.installation);
  }

  private readonly paymentOf = (answer: unknown) => paymentIn(answer, this.installation);
  private readonly refundOf = (answer: unknown) => refundIn(answer, this.installation);

  private async call(method: 'GET' | 'POST', path: string, key?: string, body?: object): Promise<unknown> {
    const answer = await this.caller
      .call(this.url() + path, {
        method,
        headers: {
          Authorization: `Bearer ${this.secret}`,
          'Content-Type': 'application/json',
          ...(key !== undefined && { 'Idempotency-Key': key }),
        },
        ...(body && { body: JSON.stringify(body) }),
        timeoutMs: PROVIDER_TIMEOUT_MS,
        maxBytes: MOST_BYTES,
      })
      .catch((error: unknown) => {
        throw new ProviderUnavailable(`The sandbox is out of reach: ${(error as Error).message}`);
      });
    return bodyOf(answer);
  }
}
