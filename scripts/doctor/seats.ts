import type { DataSource, EntityManager } from 'typeorm';
import { plural, type Finding } from './report';

/** Event ids per statement: each reads all tickets once, since nothing but this asks for them by event. */
const BATCH = 100_000;
/** Events repaired at once, whose bookings wait meanwhile. */
const REPAIRS = 100;
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

const COUNTED = `
  SELECT event_id, (count(*) FILTER (WHERE status = 'reserved'))::int AS reserved,
    (count(*) FILTER (WHERE status = 'paid'))::int AS paid
  FROM tickets WHERE status IN ('reserved', 'paid')`;

// One statement sees one instant, so that a change under way never looks like a fault.
const DISORDERLY = `
  SELECT events.id, capacity, held, sold, coalesce(reserved, 0) AS reserved, coalesce(paid, 0) AS paid
  FROM events
  LEFT JOIN inventory ON inventory.event_id = events.id
  LEFT JOIN (${COUNTED} AND event_id BETWEEN $1 AND $2 GROUP BY event_id) AS counted ON counted.event_id = events.id
  WHERE events.id BETWEEN $1 AND $2 AND (
    capacity IS NULL OR held <> coalesce(reserved, 0) OR sold <> coalesce(paid, 0) OR held + sold > capacity
  )
  ORDER BY events.id`;

const LOCK = 'SELECT event_id FROM inventory WHERE event_id = ANY ($1) ORDER BY event_id FOR UPDATE';

const REPAIR = `
  UPDATE inventory SET held = coalesce(reserved, 0), sold = coalesce(paid, 0)
  FROM unnest($1::bigint[]) AS drifted (event_id)
  LEFT JOIN (${COUNTED} AND event_id = ANY ($1) GROUP BY event_id) AS counted USING (event_id)
  WHERE inventory.event_id = drifted.event_id AND coalesce(reserved, 0) + coalesce(paid, 0) <= capacity
  RETURNING inventory.event_id AS id, held, sold`;

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

export interface SeatsOptions {
  fix: boolean;
  /** Shows how far it has come. */
  progress: (total: number, work: (add: (amount: number) => void) => Promise<void>) => Promise<void>;
  stopped: AbortSignal;
}

/** Holds the counters of every event against its tickets; with `fix` sets them right. */
export async function checkSeats(
  database: DataSource,
  { fix, progress, stopped }: SeatsOptions,
): Promise<Finding> {
  const [{ events, first, last }] = await database.query<
    [{ events: number; first: number | null; last: number | null }]
  >('SELECT count(*) AS events, min(id) AS first, max(id) AS last FROM events');
  const details: (Seats & { message: string; repaired: boolean })[] = [];
  if (first !== null && last !== null) {
    await progress(last - first + 1, async (add) => {
      for (let from = first; from <= last; from += BATCH) {
        stopped.throwIfAborted();
        const to = Math.min(from + BATCH - 1, last);
        const disorderly = await unhurried(database, (manager) =>
          manager.query<Seats[]>(DISORDERLY, [from, to]),
        );
        const repaired = fix ? await repair(database, disorderly) : new Map<number, string>();
        for (const seats of disorderly) {
          const message = repaired.get(seats.id) ?? describe(seats);
          details.push({ ...seats, message, repaired: repaired.has(seats.id) });
        }
        add(to - from + 1);
      }
    });
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

/** @returns what was changed, by event */
async function repair(database: DataSource, disorderly: Seats[]): Promise<Map<number, string>> {
  const changes = new Map<number, string>();
  const drifted = disorderly.filter(isRepairable);
  for (let i = 0; i < drifted.length; i += REPAIRS) {
    const some = drifted.slice(i, i + REPAIRS);
    const ids = some.map(({ id }) => id);
    const [rows] = await unhurried(database, async (manager) => {
      // Whoever changes a ticket's seat changes the counters before it commits. So nothing can change that we have not
      // counted, and the tickets need no lock. The count is a statement of its own: it sees what was committed while we
      // waited for the lock.
      await manager.query(LOCK, [ids]);
      return await manager.query<[{ id: number; held: number; sold: number }[], number]>(REPAIR, [ids]);
    });
    for (const { id, held, sold } of rows) {
      const before = some.find((seats) => seats.id === id);
      changes.set(id, `event ${id}: held ${before?.held} → ${held}, sold ${before?.sold} → ${sold}`);
    }
  }
  return changes;
}

/** Reading all tickets may take longer than the time that a pooler gives a statement. */
async function unhurried<Result>(
  database: DataSource,
  work: (manager: EntityManager) => Promise<Result>,
): Promise<Result> {
  return await database.transaction(async (manager) => {
    await manager.query('SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0');
    return await work(manager);
  });
}
