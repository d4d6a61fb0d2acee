import type { CallAnswer } from '../../http/http-call';
import { ourIdIn } from '../our-metadata';
import {
  ForgedEvent,
  ProviderRefusal,
  ProviderUnavailable,
  type ListedDispute,
  type ProviderDispute,
  type ProviderEvent,
  type ProviderPayment,
  type ProviderPaymentStatus,
  type ProviderRefund,
} from '../payment-provider';

const PAYMENT_STATUSES: readonly unknown[] = [
  'requires_action',
  'processing',
  'succeeded',
  'failed',
  'cancelled',
] satisfies ProviderPaymentStatus[];
const REFUND_STATUSES: readonly unknown[] = [
  'pending',
  'succeeded',
  'failed',
] satisfies ProviderRefund['status'][];
const DISPUTE_STATUSES: readonly unknown[] = ['open', 'won', 'lost'] satisfies ProviderDispute['status'][];

type Fields = Partial<Record<string, unknown>>;

/**
 * @returns the JSON of an answer that says yes
 * @throws {ProviderRefusal | ProviderUnavailable}
 */
export function bodyOf({ status, body }: CallAnswer): unknown {
  const parsed = parse(body);
  if (status >= 200 && status < 300 && parsed !== undefined) return parsed;
  const { code, message } = fieldsOf(fieldsOf(parsed).error);
  const isRefusal = status >= 400 && status < 500 && status !== 401 && status !== 429;
  if (isRefusal && typeof code === 'string') throw new ProviderRefusal(code, textOf(message) ?? code);
  throw new ProviderUnavailable(
    `The sandbox answered ${status}${parsed === undefined ? ' without JSON' : ''}`,
  );
}

/** @throws {ProviderUnavailable} for an answer that is no payment, as of each of these */
export function paymentIn(answer: unknown, installation: string): ProviderPayment {
  const fields = fieldsOf(answer);
  const { id, status, amount, currency } = fields;
  if (
    typeof id !== 'string' ||
    typeof currency !== 'string' ||
    !Number.isSafeInteger(amount) ||
    !Number.isSafeInteger(fields.refunded ?? 0) ||
    !PAYMENT_STATUSES.includes(status)
  )
    throw new ProviderUnavailable('The sandbox answered with what is no payment');
  return {
    id,
    status: status as ProviderPaymentStatus,
    amount: Number(amount),
    currency,
    paymentId: ourIdIn(fields.metadata, 'payment_id', installation),
    redirectUrl: textOf(fields.redirect_url),
    failureCode: textOf(fields.failure_code),
    refunded: Number(fields.refunded ?? 0),
    ...(fields.dispute !== undefined && { disputes: [disputeIn(fields.dispute)] }),
  };
}

function disputeIn(answer: unknown): ProviderDispute {
  const { id, status, amount } = fieldsOf(answer);
  if (typeof id !== 'string' || !Number.isSafeInteger(amount) || !DISPUTE_STATUSES.includes(status))
    throw new ProviderUnavailable('The sandbox answered with what is no dispute');
  return { id, status: status as ProviderDispute['status'], amount: Number(amount) };
}

export function listedDisputeIn(answer: unknown): ListedDispute {
  const { id, payment } = fieldsOf(answer);
  if (typeof id !== 'string' || typeof payment !== 'string')
    throw new ProviderUnavailable('The sandbox answered with what is no dispute');
  return { id, payment };
}

export function refundIn(answer: unknown, installation: string): ProviderRefund {
  const fields = fieldsOf(answer);
  const { id, payment, status, amount } = fields;
  if (
    typeof id !== 'string' ||
    typeof payment !== 'string' ||
    !Number.isSafeInteger(amount) ||
    !REFUND_STATUSES.includes(status)
  )
    throw new ProviderUnavailable('The sandbox answered with what is no refund');
  return {
    id,
    payment,
    status: status as ProviderRefund['status'],
    amount: Number(amount),
    refundId: ourIdIn(fields.metadata, 'refund_id', installation),
    failureCode: textOf(fields.failure_code),
  };
}

export function listIn<Item>(answer: unknown, itemOf: (answer: unknown) => Item): Item[] {
  const { data } = fieldsOf(answer);
  if (!Array.isArray(data)) throw new ProviderUnavailable('The sandbox answered with what is no list');
  return data.map(itemOf);
}

/** @param body of an event whose signature was verified */
export function eventIn(body: Buffer, installation: string): ProviderEvent {
  const { id, type, data } = fieldsOf(parse(body));
  const { payment, metadata } = fieldsOf(data);
  if (typeof id !== 'string') throw new ForgedEvent('The event has no id');
  return {
    id,
    payment: textOf(payment),
    paymentId: ourIdIn(metadata, 'payment_id', installation),
    isSuccess: type === 'payment.succeeded',
    succeededRefundId: type === 'refund.succeeded' ? ourIdIn(metadata, 'refund_id', installation) : undefined,
  };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

const fieldsOf = (value: unknown) => Object(value) as Fields;
const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);
