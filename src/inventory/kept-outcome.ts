import type { Claimed } from '../idempotency/key-claim';
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
