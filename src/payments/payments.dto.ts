import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import { ApiInteger } from '../http/api-docs';
import { MayBeLeftOut, Text } from '../http/fields';
import { invalid } from '../problems/problem';
import { PAYMENT_STATUSES, type PaymentStatus } from './payment.entity';
import type { PaymentView } from './payments.repository';

export class PayOrderDto {
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

export class PaymentDto {
  /** @example 1 */
  @ApiInteger()
  id: number;

  /** @example "7ZZFG2K9QX" */
  order_code: string;

  /**
   * `none` for an order that costs nothing; `offline` for cash or bank.
   * @example "offline"
   */
  provider: string;

  /** @example "succeeded" */
  @ApiProperty({ enum: PAYMENT_STATUSES })
  status: PaymentStatus;

  /**
   * In the minor unit of the currency.
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
}

export const toPaymentDto = (payment: PaymentView, orderCode: string): PaymentDto => ({
  id: payment.id,
  order_code: orderCode,
  provider: payment.provider,
  status: payment.status,
  amount: payment.amount,
  currency: payment.currency,
  reference: payment.reference,
  created_at: payment.createdAt,
});
