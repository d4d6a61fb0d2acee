import type { Request } from 'express';
import type { NewPayment } from './payments';
import type { NewRefund } from './refunds';
import { Refusal } from './refusal';
import type { Switches } from './switches';

const LARGEST_AMOUNT = 1_000_000_000_000;
const LONGEST_TEXT = 2_000;
const MOST_METADATA = 20;

const malformed = (name: string) =>
  new Refusal(400, 'parameter_invalid', `The parameter ${name} is not valid.`);

/** @throws {Refusal} */
export function keyOf(request: Request): string {
  const key = request.get('idempotency-key') ?? '';
  if (!/^[\x20-\x7e]{1,255}$/.test(key))
    throw new Refusal(400, 'idempotency_key_required', 'Send an Idempotency-Key of up to 255 characters.');
  return key;
}

/** @throws {Refusal} */
export function paymentIn(body: unknown): NewPayment {
  const fields = fieldsOf(body);
  const { amount, currency, method = 'ok', return_url, expires_at } = fields;
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency)) throw malformed('currency');
  const returnUrl = textIn(return_url, 'return_url');
  if (returnUrl !== undefined && !/^https?:\/\//.test(returnUrl)) throw malformed('return_url');
  return {
    amount: amountIn(amount),
    currency,
    method: textIn(method, 'method') ?? 'ok',
    metadata: metadataIn(fields),
    ...(returnUrl !== undefined && { returnUrl }),
    ...(expires_at !== undefined && { expiresAt: timeIn(expires_at, 'expires_at') }),
  };
}

/** @throws {Refusal} */
export function refundIn(body: unknown): NewRefund {
  const fields = fieldsOf(body);
  const payment = textIn(fields.payment, 'payment');
  if (payment === undefined) throw malformed('payment');
  return { payment, amount: amountIn(fields.amount), metadata: metadataIn(fields) };
}

/**
 * @returns how much is disputed; undefined: all of it
 * @throws {Refusal}
 */
export function disputedIn(body: unknown): number | undefined {
  const { amount } = fieldsOf(body);
  return amount === undefined ? undefined : amountIn(amount);
}

/** @throws {Refusal} */
export function switchesIn(body: unknown): Partial<Switches> {
  const { fail_one_in, delay_ms, answers_garbage, balance_exhausted, ...others } = fieldsOf(body);
  for (const name of Object.keys(others)) throw malformed(name.slice(0, 50));
  return {
    ...(fail_one_in !== undefined && { fail_one_in: numberIn(fail_one_in, 'fail_one_in', 1_000_000) }),
    ...(delay_ms !== undefined && { delay_ms: numberIn(delay_ms, 'delay_ms', 60_000) }),
    ...(answers_garbage !== undefined && { answers_garbage: answers_garbage === true }),
    ...(balance_exhausted !== undefined && { balance_exhausted: balance_exhausted === true }),
  };
}

/** @throws {Refusal} */
export function timeIn(value: unknown, name: string): Date {
  const time = new Date(String(value));
  if (typeof value !== 'string' || Number.isNaN(time.getTime())) throw malformed(name);
  return time;
}

const fieldsOf = (body: unknown) => Object(body) as Record<string, unknown>;

const amountIn = (value: unknown) => numberIn(value, 'amount', LARGEST_AMOUNT, 1);

function numberIn(value: unknown, name: string, most: number, least = 0): number {
  if (!Number.isInteger(value) || Number(value) < least || Number(value) > most) throw malformed(name);
  return Number(value);
}

function textIn(value: unknown, name: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.length > LONGEST_TEXT || value.includes('\0')) throw malformed(name);
  return value;
}

function metadataIn({ metadata = {} }: Record<string, unknown>): Record<string, string> {
  const entries = Object.entries(Object(metadata) as Record<string, unknown>);
  if (entries.length > MOST_METADATA || typeof metadata !== 'object') throw malformed('metadata');
  return Object.fromEntries(entries.map(([name, value]) => [name, textIn(value, 'metadata') ?? '']));
}
