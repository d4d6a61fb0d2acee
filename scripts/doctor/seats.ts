import type { DataSource } from 'typeorm';
import { isLockTimeout } from '../../src/database/database-error';
import { findDisorderly, isOversold, type Seats, type SeatsOptions } from './count-places';
import { STATEMENT_MS } from './ranges';
import { plural, type Finding } from './report';

/** Holds end within half a second; a hold this late means that no worker is at work. */
const LATE_SECONDS = 5;

// Whatever changes an order changes the counters with it, so that the difference between the two stays as it was counted.
// The row is locked for this statement alone. (A counter that is too low stays at 0 where more holds end than it knows of:
// then this gives too few places for sale, never too many, and the next run finds it.)
const REPAIR = `
  UPDATE quotas SET held = held + $2, sold = sold + $3
  WHERE id = $1 AND held + $2 >= 0 AND sold + $3 >= 0 AND held + $2 + sold + $3 <= capacity
  RETURNING held, sold`;

/** Whether there are tables to look at. */
export async function hasSeats(database: DataSource): Promise<boolean> {
  const [{ found }] = await database.query<[{ found: boolean }]>(
    `SELECT num_nulls(to_regclass('events'), to_regclass('quotas'), to_regclass('orders'), to_regclass('outbox')) = 0 AS found`,
  );
  return found;
}

/** Holds that no worker ends. */
export async function checkHolds(database: DataSource, hasWorkers: boolean): Promise<Finding> {
  const [{ overdue, seconds }] = await database.query<[{ overdue: number; seconds: number }]>(
    `SELECT count(*) AS overdue, extract(epoch FROM now() - min(expires_at))::float8 AS seconds
    FROM orders WHERE status = 'held' AND expires_at < now() - make_interval(secs => $1)`,
    [LATE_SECONDS],
  );
  if (overdue === 0) return { status: 'ok', message: 'None is overdue' };
  return {
    status: 'wrong',
    message: `${plural(overdue, 'hold')} overdue by up to ${Math.round(seconds)} s: nobody releases them`,
    advice: hasWorkers
      ? 'Start a worker (node dist/src/main.js --worker), or see in its log what keeps it from working.'
      : 'Start the API, which releases holds where there is no REDIS_URL, or see in its log what keeps it from doing so.',
  };
}

/** Holds every counter of every event against the tickets and orders; with `fix` sets them right. */
export async function checkSeats(database: DataSource, options: SeatsOptions): Promise<Finding> {
  const { fix, stopped, statementMs = STATEMENT_MS } = options;
  const { events, disorderly } = await findDisorderly(database, options);
  const details: (Seats & { message: string; repaired: boolean })[] = [];
  for (const seats of disorderly) {
    stopped.throwIfAborted();
    const change = fix && isRepairable(seats) ? await repair(database, seats, statementMs) : undefined;
    details.push({ ...seats, message: change ?? describe(seats), repaired: change !== undefined });
  }
  const left = details.filter(({ repaired }) => !repaired);
  const counted = plural(events, 'event');
  if (details.length === 0)
    return { status: 'ok', message: `The counters of ${counted} agree with the tickets` };
  const [found, unrepaired] = [details, left].map((some) => new Set(some.map(({ id }) => id)).size) as [
    number,
    number,
  ];
  if (unrepaired === 0) return { status: 'ok', message: `Repaired ${found} of ${counted}`, details };
  return {
    status: 'wrong',
    message: `${unrepaired} of ${counted} are not in order${fix ? `, ${found - unrepaired} repaired` : ''}`,
    details,
    advice: [
      !fix && left.some(isRepairable) && 'Set the counters right with --fix.',
      left.some(({ capacity }) => capacity === null) &&
        "Put an event without a counter up for sale: INSERT INTO quotas (id, event_id, kind, capacity) SELECT quota_ids[1], event_id, 'event', … FROM ticket_types WHERE event_id = … LIMIT 1.",
      left.some(isOversold) &&
        'Of what is oversold cancel tickets or raise the capacity (UPDATE quotas SET capacity = … WHERE id = …), then --fix.',
    ]
      .filter(Boolean)
      .join(' '),
  };
}

const isRepairable = (seats: Seats) => seats.capacity !== null && !isOversold(seats);

function describe(seats: Seats): string {
  const { capacity, held, sold, reserved, paid } = seats;
  if (capacity === null) return `${nameOf(seats)} has no counter in quotas: nobody can book it`;
  const [what, place] = seats.kind === 'code' ? ['order', 'use'] : ['ticket', 'seat'];
  const faults = [
    isOversold(seats) && `is oversold, with ${plural(reserved + paid, what)} for ${plural(capacity, place)}`,
    held !== reserved && `has held = ${held} and ${plural(reserved, `reserved ${what}`)}`,
    sold !== paid && `has sold = ${sold} and ${plural(paid, `paid ${what}`)}`,
  ];
  return `${nameOf(seats)} ${faults.filter(Boolean).join(', ')}`;
}

function nameOf({ id, kind, quotaId, name }: Seats): string {
  if (kind === 'event') return `event ${id}`;
  return `event ${id}: ${kind === 'code' ? 'code' : `quota ${quotaId}`}${name && ` ${JSON.stringify(name)}`}`;
}

/** @returns what was changed; undefined where that is not possible any more, or somebody keeps the row locked */
async function repair(database: DataSource, seats: Seats, statementMs: number): Promise<string | undefined> {
  const { quotaId, held, sold, reserved, paid } = seats;
  const [[after]] = await database
    .transaction(async (manager) => {
      await manager.query(`SET LOCAL lock_timeout = ${statementMs}; SET LOCAL statement_timeout = 0`);
      const changes = [quotaId, reserved - (held ?? 0), paid - (sold ?? 0)];
      return await manager.query<[{ held: number; sold: number }[], number]>(REPAIR, changes);
    })
    .catch((error: unknown) => {
      if (isLockTimeout(error)) return [[], 0] as [{ held: number; sold: number }[], number];
      throw error;
    });
  return after && `${nameOf(seats)}: held ${held} → ${after.held}, sold ${sold} → ${after.sold}`;
}
