/** What a provider says of a payment. `cancelled`: it took no money and never will. */
export type ProviderPaymentStatus = 'requires_action' | 'processing' | 'succeeded' | 'failed' | 'cancelled';

export interface ProviderPayment {
  /** The provider's own. */
  id: string;
  /** Our payment's id, kept by the provider with the payment; undefined: the payment is not ours. */
  paymentId?: number;
  status: ProviderPaymentStatus;
  /** What was taken when it succeeded, else what was asked for; in the minor unit of the currency. */
  amount: number;
  currency: string;
  clientSecret?: string;
  redirectUrl?: string;
  failureCode?: string;
  /** What was given back in all, by us or in its dashboard; undefined: the provider does not say it here. */
  refunded?: number;
  /** All of them, the oldest first. */
  disputes?: ProviderDispute[];
}

export interface ProviderDispute {
  id: string;
  status: 'open' | 'won' | 'lost';
  /** What the bank has taken back, which may be a part of the payment. */
  amount: number;
}

/** A dispute among all of the provider's. */
export interface ListedDispute {
  id: string;
  /** The provider's id of the payment. */
  payment: string;
}

export interface ProviderRefund {
  id: string;
  /** Our refund's id, kept by the provider with the refund; undefined: the refund is not ours. */
  refundId?: number;
  /** The provider's id of the payment. */
  payment: string;
  status: 'pending' | 'succeeded' | 'failed';
  amount: number;
  failureCode?: string;
}

/** A reason to ask the provider, never the truth. */
export interface ProviderEvent {
  id: string;
  /** The provider's id of the payment that it is about; undefined: it is about nothing that we keep. */
  payment?: string;
  /** Our payment's id, where the event carries our metadata. */
  paymentId?: number;
  /** It tells of nothing but that the money was taken: where that is known already, there is nothing to ask. */
  isSuccess: boolean;
  /** Our refund's id, where the event tells of nothing but that this refund succeeded. */
  succeededRefundId?: number;
}

export interface PaymentRequest {
  /** Our payment's id: the provider's idempotency key, and kept by it as metadata. */
  paymentId: number;
  orderCode: string;
  amount: number;
  currency: string;
  /** The provider's word for how it is paid, from the client. */
  method?: string;
  /** Where the buyer is sent back to after an action. */
  returnUrl?: string;
  /** When the order's hold ends. */
  expiresAt?: Date;
}

export interface RefundRequest {
  /** Our refund's id. */
  refundId: number;
  /** 1 for the first try. Refund and try make the provider's idempotency key: a retry is a new refund there. */
  attempt: number;
  /** The provider's id of the payment. */
  payment: string;
  /** In the minor unit of the currency, which is that of the payment. */
  amount: number;
  currency: string;
}

/** How long a provider may take to answer. */
export const PROVIDER_TIMEOUT_MS = 2_000;

/** The provider said no, and will say no again: what was asked for is wrong. */
export class ProviderRefusal extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** The provider is down, slow or answers garbage: whether it did what was asked for is not known. */
export class ProviderUnavailable extends Error {}

/** The signature of an event is not the provider's. */
export class ForgedEvent extends Error {}

/**
 * Somebody else who takes money for us. Every call leaves the process, has a time limit, and is safe to repeat: call none while a transaction is open.
 *
 * @throws {ProviderRefusal | ProviderUnavailable} by every call
 */
export abstract class PaymentProvider {
  abstract readonly name: string;
  abstract create(request: PaymentRequest): Promise<ProviderPayment>;
  abstract get(payment: string): Promise<ProviderPayment>;
  /** @returns the payment as it then is: `cancelled`, or `succeeded` where the money came first */
  abstract cancel(payment: string): Promise<ProviderPayment>;
  abstract refund(request: RefundRequest): Promise<ProviderRefund>;
  abstract refundsOf(payment: string): Promise<ProviderRefund[]>;
  /** Payments made since then, oldest first; at most a page, whose last one `after` continues from. */
  abstract listSince(since: Date, after?: string): Promise<{ payments: ProviderPayment[]; next?: string }>;
  /** The newest disputes, at most a thousand; those that were opened before `since` may be left out. */
  abstract disputesSince(since: Date): Promise<ListedDispute[]>;
  /**
   * Verifies the signature over the raw bytes before it reads anything.
   *
   * @throws {ForgedEvent} also for an event whose timestamp is too old
   */
  abstract readEvent(body: Buffer, headers: Record<string, string | string[] | undefined>): ProviderEvent;
}
