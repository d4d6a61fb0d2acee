import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import { ApiInteger } from '../http/api-docs';
import { MayBeLeftOut, Text, WebAddress } from '../http/fields';
import { invalid } from '../problems/problem';
import { PAYMENT_STATUSES, type PaymentStatus } from '../inventory/payment-states';
import type { PaymentWish } from './payments.repository';
import type { BuyersPayment } from './provider-payments.service';

export class PayOrderDto {
  /**
   * How it is paid, in the provider's words: with the sandbox one of its methods, such as `ok` or `declined`.
   * @example "ok"
   */
  @MayBeLeftOut()
  @Text(1, 50)
  payment_method?: string;

  /**
   * Where the buyer is sent back to from the provider.
   * @example "https://shop.example.com/thanks"
   */
  @MayBeLeftOut()
  @WebAddress()
  return_url?: string;

  /** `true`: the organizer has the money already, in cash or at the bank. */
  @MayBeLeftOut()
  @IsBoolean({ message: 'must be true or false' })
  offline?: boolean;

  /**
   * The organizer's own, such as the number of a receipt; only with `offline`.
   * @example "Receipt 2030-17"
   */
  @MayBeLeftOut()
  @Text(1, 200)
  reference?: string;
}

/** @throws {Problem} `validation_failed` for a reference without `offline` */
export function referenceOf({ offline, reference }: PayOrderDto): string | undefined {
  if (reference !== undefined && offline !== true)
    throw invalid('/reference', 'must come together with offline');
  return reference;
}

/** @throws {Problem} `validation_failed` where it is said together with `offline` */
export function wishOf({ offline, payment_method: method, return_url: returnUrl }: PayOrderDto): PaymentWish {
  if (offline === true && method !== undefined)
    throw invalid('/payment_method', 'must not come together with offline');
  if (offline === true && returnUrl !== undefined)
    throw invalid('/return_url', 'must not come together with offline');
  return { ...(method !== undefined && { method }), ...(returnUrl !== undefined && { returnUrl }) };
}

export class PaymentDto {
  /** @example 1 */
  @ApiInteger()
  id: number;

  /** @example "7ZZFG2K9QX" */
  order_code: string;

  /**
   * `none` for an order that costs nothing, `offline` for cash or bank; else what takes the money.
   * @example "offline"
   */
  provider: string;

  /**
   * `requires_action` and `processing` are open: an order has one such payment at most.
   * @example "succeeded"
   */
  @ApiProperty({ enum: PAYMENT_STATUSES })
  status: PaymentStatus;

  /**
   * What is asked for, in the minor unit of the currency.
   * @example 2000
   */
  @ApiInteger()
  amount: number;

  /** @example "EUR" */
  currency: string | null;

  /** @example "Receipt 2030-17" */
  reference: string | null;

  /** @example "2030-01-01T12:01:30.000Z" */
  created_at: Date;

  /**
   * What the provider's own library needs in the buyer's browser; only in the answer to its buyer, while it is open.
   * @example "pi_1_secret_2"
   */
  client_secret?: string;

  /**
   * Where the buyer goes to confirm; only in the answer to its buyer, while it is open.
   * @example "https://pay.example.com/1"
   */
  redirect_url?: string;

  /**
   * Why it failed, in the provider's words.
   * @example "card_declined"
   */
  failure_code?: string;
}

export const toPaymentDto = (payment: BuyersPayment, orderCode: string): PaymentDto => ({
  id: payment.id,
  order_code: orderCode,
  provider: payment.provider,
  status: payment.status,
  amount: payment.amount,
  currency: payment.currency,
  reference: payment.reference,
  created_at: payment.createdAt,
  ...(isOpen(payment) && payment.clientSecret !== undefined && { client_secret: payment.clientSecret }),
  ...(isOpen(payment) && payment.redirectUrl !== undefined && { redirect_url: payment.redirectUrl }),
  ...(payment.failureCode !== null && { failure_code: payment.failureCode }),
});

const isOpen = ({ status }: BuyersPayment) => status === 'requires_action' || status === 'processing';
