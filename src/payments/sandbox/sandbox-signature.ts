import { createHmac, timingSafeEqual } from 'node:crypto';
import { ForgedEvent } from '../payment-provider';

/** An event that is older was sent before, and is sent again by somebody who kept it. */
const TOLERANCE_SECONDS = 300;

/**
 * @param header `t=<seconds since 1970>,v1=<hexadecimal HMAC-SHA256 of time, dot and body>`
 * @throws {ForgedEvent}
 */
export function verifySignature(body: Buffer, header: string | string[] | undefined, secret: string): void {
  const [, time = '', signature = ''] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(String(header)) ?? [];
  const expected = createHmac('sha256', secret).update(`${time}.`).update(body).digest();
  const given = Buffer.from(signature, 'hex');
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new ForgedEvent('The signature is not that of the sandbox');
  if (Math.abs(Date.now() / 1_000 - Number(time)) > TOLERANCE_SECONDS)
    throw new ForgedEvent('The event is too old');
}
