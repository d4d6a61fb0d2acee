import type { DataSource } from 'typeorm';
import type { Settings } from '../../src/config/settings';
import { PublicUrl } from '../../src/http/public-url';
import { createPaymentProvider } from '../../src/payments/payment-provider.module';
import { ProviderUnavailable, type PaymentProvider } from '../../src/payments/payment-provider';
import {
  COMPARE_PAYMENTS,
  FIND_UNKNOWN_DISPUTES,
  valuesOfDisputes,
  valuesToCompare,
  type Compared,
} from '../../src/payments/reconciliation.statements';
import type { SeatsOptions } from './count-places';
import { plural, type Finding } from './report';

/** Payments that are under way at this moment are not looked at: they may be ahead there or here. */
const SETTLED_MS = 60_000;
const MOST_DETAILS = 20;

type Difference = Omit<Compared, 'verdict'> & { verdict: Compared['verdict'] | 'dispute_unknown' };

const SAYS: Record<Difference['verdict'], string> = {
  unknown_here: 'is not known here',
  another_payment: 'says it is a payment that has another one at the provider',
  amount_differs: 'took another amount than it says here',
  differs: 'is in another state there',
  refund_unknown: 'gave back more than it says here',
  dispute_unknown: 'is disputed there',
};

/** Every payment that the provider has of us against ours; nothing is changed. */
export async function checkProvider(
  database: DataSource,
  settings: Settings,
  { stopped }: SeatsOptions,
): Promise<Finding> {
  const publicUrl = new PublicUrl(settings, {} as never);
  const provider = await createPaymentProvider(settings, database, publicUrl);
  if (!provider) return { status: 'ok', message: 'No payment provider is set up' };
  try {
    const { number, found } = await compareAll(database, provider, stopped);
    if (found.length === 0)
      return { status: 'ok', message: `${plural(number, 'payment')} at ${provider.name} agree with ours` };
    return {
      status: 'wrong',
      message: `${plural(found.length, 'payment')} at ${provider.name} ${found.length === 1 ? 'does' : 'do'} not agree with ours`,
      details: found.slice(0, MOST_DETAILS).map((difference) => ({
        ...difference,
        message: `${difference.payment} (payment ${difference.paymentId}) ${SAYS[difference.verdict]}`,
      })),
      advice:
        'A worker mends within two minutes what was lost on the way. For what stays, see docs/OPERATIONS.md, "When the provider and we do not agree".',
    };
  } catch (error) {
    if (!(error instanceof ProviderUnavailable)) throw error;
    return {
      status: 'unchecked',
      message: `${provider.name} can't be asked: ${error.message}`,
      advice: 'Try again once the provider answers, and with the settings of the API.',
    };
  }
}

async function compareAll(database: DataSource, provider: PaymentProvider, stopped: AbortSignal) {
  const [{ since }] = await database.query<[{ since: Date | null }]>(
    'SELECT min(created_at) AS since FROM payments WHERE provider = $1',
    [provider.name],
  );
  const begin = since ?? new Date(Date.now() - SETTLED_MS);
  const found: Difference[] = [];
  let number = 0;
  let after: string | undefined;
  do {
    stopped.throwIfAborted();
    const page = await provider.listSince(begin, after);
    const ours = page.payments.filter(({ paymentId }) => paymentId !== undefined);
    number += ours.length;
    if (ours.length > 0) {
      const compared = await database.query<Compared[]>(
        COMPARE_PAYMENTS.text,
        valuesToCompare(provider.name, ours),
      );
      found.push(...(await withoutRecent(database, compared)));
    }
    after = page.next;
  } while (after !== undefined);
  const disputes = await provider.disputesSince(begin);
  const unknown = await database.query<Compared[]>(
    FIND_UNKNOWN_DISPUTES.text,
    valuesOfDisputes(provider.name, disputes),
  );
  found.push(...unknown.map((payment) => ({ ...payment, verdict: 'dispute_unknown' as const })));
  return { number, found };
}

async function withoutRecent(database: DataSource, compared: Compared[]): Promise<Compared[]> {
  const recent = await database.query<{ id: number }[]>(
    `SELECT id FROM payments WHERE id = ANY ($1) AND greatest(created_at, closed_at) > now() - $2 * interval '1 ms'`,
    [compared.map(({ paymentId }) => paymentId), SETTLED_MS],
  );
  const ids = new Set(recent.map(({ id }) => id));
  return compared.filter(({ paymentId }) => !ids.has(paymentId));
}
