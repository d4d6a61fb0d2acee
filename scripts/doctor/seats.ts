import type { DataSource } from 'typeorm';
import { isLockTimeout } from '../../src/database/database-error';
import { plural, type Finding } from './report';
import { lookAtTickets, statementMsOf, type LookOptions } from './ticket-ranges';

/** Events per statement. */
const PAGE = 5_000;
/** Holds end within half a second; a hold this late means that no worker is at work. */
const LATE_SECONDS = 5;

interface Seats {
  id: number;
  /** Null, as the counters, for an event without a row in `inventory`. */
  capacity: number | null;
  held: number | null;
  sold: number | null;
  reserved: number;
  paid: number;
}

const COUNT = `
  SELECT event_id AS id, (count(*) FILTER (WHERE status = 'reserved'))::int AS reserved,
    (count(*) FILTER (WHERE status = 'paid'))::int AS paid
  FROM tickets WHERE id BETWEEN $1 AND $2 AND status IN ('reserved', 'paid') GROUP BY event_id`;

const COUNTERS = `
  SELECT events.id, capacity, held, sold FROM events LEFT JOIN inventory ON inventory.event_id = events.id
  WHERE events.id > $1 ORDER BY events.id LIMIT ${PAGE}`;

// Whatever changes a ticket's place changes the counters with it, so that the difference between the two stays as it was
// counted. The row is locked for this statement alone. (A counter that is too low stays at 0 where more holds end than it
// knows of: then this gives too few places for sale, never too many, and the next run finds it.)
const REPAIR = `
  UPDATE inventory SET held = held + $2, sold = sold + $3
  WHERE event_id = $1 AND held + $2 >= 0 AND sold + $3 >= 0 AND held + $2 + sold + $3 <= capacity
  RETURNING held, sold`;

/** Whether there are tables to look at. */
export async function hasSeats(database: DataSource): Promise<boolean> {
  const [{ found }] = await database.query<[{ found: boolean }]>(
    `SELECT num_nulls(to_regclass('events'), to_regclass('inventory'), to_regclass('tickets'), to_regclass('outbox')) = 0 AS found`,
  );
  return found;
}

/** Holds that no worker ends. */
export async function checkHolds(database: DataSource, hasWorkers: boolean): Promise<Finding> {
  const [{ overdue, seconds }] = await database.query<[{ overdue: number; seconds: number }]>(
    `SELECT count(*) AS overdue, extract(epoch FROM now() - min(expires_at))::float8 AS seconds
    FROM tickets WHERE status = 'reserved' AND expires_at < now() - make_interval(secs => $1)`,
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

export interface SeatsOptions extends LookOptions {
  fix: boolean;
}

/** Holds the counters of every event against its tickets; with `fix` sets them right. */
export async function checkSeats(database: DataSource, options: SeatsOptions): Promise<Finding> {
  const { fix, stopped } = options;
  const { events, disorderly } = await findDisorderly(database, options);
  const details: (Seats & { message: string; repaired: boolean })[] = [];
  for (const seats of disorderly) {
    stopped.throwIfAborted();
    const change =
      fix && isRepairable(seats) ? await repair(database, seats, statementMsOf(options)) : undefined;
    details.push({ ...seats, message: change ?? describe(seats), repaired: change !== undefined });
  }
  const left = details.filter(({ repaired }) => !repaired);
  const counted = plural(events, 'event');
  if (details.length === 0)
    return { status: 'ok', message: `The counters of ${counted} agree with the tickets` };
  if (left.length === 0) {
    return { status: 'ok', message: `Repaired ${details.length} of ${counted}`, details };
  }
  return {
    status: 'wrong',
    message: `${left.length} of ${counted} are not in order${fix ? `, ${details.length - left.length} repaired` : ''}`,
    details,
    advice: [
      !fix && left.some(isRepairable) && 'Set the counters right with --fix.',
      left.some(({ capacity }) => capacity === null) &&
        'Put an event without seats up for sale: INSERT INTO inventory (event_id, capacity) VALUES (…).',
      left.some(isOversold) &&
        'Of an oversold event cancel tickets or raise the capacity (UPDATE inventory SET capacity = … WHERE event_id = …), then --fix.',
    ]
      .filter(Boolean)
      .join(' '),
  };
}

const isOversold = ({ capacity, reserved, paid }: Seats) => capacity !== null && reserved + paid > capacity;
const isRepairable = (seats: Seats) => seats.capacity !== null && !isOversold(seats);

function describe(seats: Seats): string {
  const { id, capacity, held, sold, reserved, paid } = seats;
  if (capacity === null) return `event ${id} has no row in inventory: nobody can book it`;
  const faults = [
    isOversold(seats) &&
      `is oversold, with ${plural(reserved + paid, 'ticket')} for ${plural(capacity, 'seat')}`,
    held !== reserved && `has held = ${held} and ${plural(reserved, 'reserved ticket')}`,
    sold !== paid && `has sold = ${sold} and ${plural(paid, 'paid ticket')}`,
  ];
  return `event ${id} ${faults.filter(Boolean).join(', ')}`;
}

/** What the counters should be: reserved and paid tickets, by event. */
type Counts = Map<number, { reserved: number; paid: number }>;

async function findDisorderly(
  database: DataSource,
  options: LookOptions,
): Promise<{ events: number; disorderly: Seats[] }> {
  const counts: Counts = new Map();
  const disorderly: Seats[] = [];
  let events = 0;
  await lookAtTickets<{ id: number; reserved: number; paid: number }>(database, options, {
    text: COUNT,
    take: (rows) => {
      for (const { id, reserved, paid } of rows) {
        const count = counts.get(id);
        counts.set(id, { reserved: reserved + (count?.reserved ?? 0), paid: paid + (count?.paid ?? 0) });
      }
    },
    work: async (manager) => {
      for (let after = 0, isMore = true; isMore;) {
        options.stopped.throwIfAborted();
        const page = await manager.query<Omit<Seats, 'reserved' | 'paid'>[]>(COUNTERS, [after]);
        const counted = page.map((row) => ({ ...row, ...(counts.get(row.id) ?? { reserved: 0, paid: 0 }) }));
        disorderly.push(...counted.filter(isDisorderly));
        events += page.length;
        isMore = page.length === PAGE;
        after = page.at(-1)?.id ?? after;
      }
    },
  });
  return { events, disorderly };
}

const isDisorderly = (seats: Seats) =>
  seats.capacity === null || seats.held !== seats.reserved || seats.sold !== seats.paid || isOversold(seats);

/** @returns what was changed; undefined where that is not possible any more, or somebody keeps the row locked */
async function repair(
  database: DataSource,
  { id, held, sold, reserved, paid }: Seats,
  statementMs: number,
): Promise<string | undefined> {
  const [[after]] = await database
    .transaction(async (manager) => {
      await manager.query(`SET LOCAL lock_timeout = ${statementMs}; SET LOCAL statement_timeout = 0`);
      const changes = [id, reserved - (held ?? 0), paid - (sold ?? 0)];
      return await manager.query<[{ held: number; sold: number }[], number]>(REPAIR, changes);
    })
    .catch((error: unknown) => {
      if (isLockTimeout(error)) return [[], 0] as [{ held: number; sold: number }[], number];
      throw error;
    });
  return after && `event ${id}: held ${held} → ${after.held}, sold ${sold} → ${after.sold}`;
}
