import { hkdfSync } from 'node:crypto';
import type { DataSource } from 'typeorm';

/**
 * Names this installation towards payment providers, whose accounts several may share: staging and production, say. A
 * backup that is restored keeps the name.
 */
export async function installationName(dataSource: DataSource): Promise<string> {
  return (await derive(dataSource, 'tixxety payment provider', 6)).toString('hex');
}

/** @returns bytes that all processes of the installation find, and nobody else (HKDF, RFC 5869) */
export async function derive(dataSource: DataSource, purpose: string, bytes: number): Promise<Buffer> {
  const [{ key }] = await dataSource.query<[{ key: Buffer }]>(
    'SELECT order_code_key AS key FROM installation',
  );
  return Buffer.from(hkdfSync('sha256', key, '', purpose, bytes));
}

/**
 * Our id in what a provider keeps with a payment or a refund.
 *
 * @returns undefined where it is not ours
 */
export function ourIdIn(
  metadata: unknown,
  name: 'payment_id' | 'refund_id',
  installation: string,
): number | undefined {
  const fields = Object(metadata) as Partial<Record<string, unknown>>;
  const value = fields[name];
  if (fields.installation !== installation || typeof value !== 'string' || !/^[1-9]\d{0,15}$/.test(value))
    return undefined;
  return Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
}
