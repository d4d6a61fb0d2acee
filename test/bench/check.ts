import { INVENTORY_MISMATCHES } from '../support/seats';
import type { Database } from './harness/database';
import type { Ids } from './load/job';

/** The seats are not what the answers said: the run has failed, however fast it was. */
export class SeatsMismatch extends Error {}

/** How many seats the answers speak of. */
export interface Seats {
  held: number;
  sold: number;
  /** Requests whose answer never came, which may have taken a seat or not. */
  unknown: number;
}

/**
 * Counts the seats of events in SQL against the answers.
 *
 * @throws {SeatsMismatch}
 */
export async function checkSeats(database: Database, events: Ids, answered: Seats): Promise<void> {
  const [counted] = await database.sql<Omit<Seats, 'unknown'>>(
    `SELECT sum(held)::float8 AS held, sum(sold)::float8 AS sold FROM quotas
     WHERE event_id >= $1 AND event_id < $1 + $2`,
    [events.first, events.count],
  );
  const differs = (['held', 'sold'] as const).some((kind) => {
    const more = (counted?.[kind] ?? NaN) - answered[kind];
    return !(Math.abs(more) <= answered.unknown);
  });
  if (differs) {
    throw new SeatsMismatch(
      `Seats: the answers say ${answered.held} held and ${answered.sold} sold (and ${answered.unknown} without an ` +
        `answer), the database ${counted?.held} and ${counted?.sold}.`,
    );
  }
}

/**
 * Counts all tickets in SQL against the counters, and the counters against the capacity.
 *
 * @throws {SeatsMismatch}
 */
export async function checkTickets(database: Database): Promise<void> {
  const disorder = await database.sql(INVENTORY_MISMATCHES);
  if (disorder.length > 0) {
    throw new SeatsMismatch(
      `Seats: counters and tickets differ, or too many: ${JSON.stringify(disorder[0])}`,
    );
  }
}

/** Answers that never came. */
export const unanswered = (outcomes: Record<string, number>) =>
  Object.entries(outcomes).reduce(
    (sum, [outcome, number]) => (/^\d{3}/.test(outcome) ? sum : sum + number),
    0,
  );
