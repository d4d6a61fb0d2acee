import type { Statement, Statements } from '../database/statements';
import { keyValues, type Claimed, type KeyClaim } from '../idempotency/key-claim';
import type { HeldOrder } from './held-order';

/** What a statement answers; beside, where any of its requests has a key, what became of the key. */
export type Keyed<Answer> = Answer & Partial<Claimed<Answer>>;

/** An outcome that was kept has its times in words. */
export function withDates<Answer extends object>(rows: Keyed<Answer>[]): Keyed<Answer>[] {
  for (const { outcome } of rows as Keyed<Partial<HeldOrder>>[]) {
    for (const time of ['createdAt', 'expiresAt', 'paidAt'] as const) {
      if (outcome?.[time]) outcome[time] = new Date(outcome[time]);
    }
  }
  return rows;
}

/**
 * Runs the statement of a single request, which is no booking.
 *
 * @param keyed the same for a request with a key: its last parameters are those of `keyValues`
 * @param claim the request's `Idempotency-Key`
 * @returns what it answers, or what it answered to the first request with the key
 * @throws {Problem | StoredAnswer} as `KeyClaim.settle`
 */
export async function runOnce<Answer extends object>(
  statements: Statements,
  { plain, keyed }: { plain: Statement; keyed: Statement },
  values: unknown[],
  claim?: KeyClaim,
): Promise<Answer> {
  if (!claim) return (await statements.change<Answer>(plain, values))[0] as Answer;
  const rows = await statements.change<Keyed<Answer>>(keyed, [...values, ...keyValues([claim])]);
  const [own] = withDates(rows) as [Keyed<Answer>];
  return claim.settle<Answer>(own, own);
}
