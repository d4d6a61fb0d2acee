import type { DataSource, EntityManager } from 'typeorm';
import type { QuotaKind } from '../../src/inventory/quota.entity';
import { inRanges, lengthOf, STATEMENT_MS, type Span } from './ranges';

/** Counters per statement. */
const PAGE = 5_000;

/** A counter of places, and what it should say. */
export interface Seats {
  /** Of the event. */
  id: number;
  kind: QuotaKind;
  /** Null, as what it says, for an event without a counter. */
  quotaId: number | null;
  /** Of what it counts for: an organizer's name of some types, or a code. */
  name: string;
  capacity: number | null;
  held: number | null;
  sold: number | null;
  reserved: number;
  paid: number;
}

export interface SeatsOptions {
  fix: boolean;
  /** Shows how far it has come. */
  progress: (total: number, work: (add: (amount: number) => void) => Promise<void>) => Promise<void>;
  stopped: AbortSignal;
  /** How long one statement may take. */
  statementMs?: number;
}

/** Of each ticket the places it takes, and of each order the use of its code. */
const COUNT = `
  WITH counted AS MATERIALIZED (
    SELECT id, status, code_id FROM orders WHERE id BETWEEN $1 AND $2 AND status IN ('held', 'paid', 'refunded')
  ), taken AS MATERIALIZED (
    SELECT ticket_type_id, status, count(*) AS number
    FROM counted JOIN tickets ON order_id = counted.id AND order_id BETWEEN $1 AND $2
    WHERE status <> 'refunded' AND (fate IS NULL OR fate = 'blocked') OR keeps_place
    GROUP BY ticket_type_id, status
  ), drawn AS (
    SELECT unnest(quota_ids) AS quota_id, status, number FROM taken JOIN ticket_types ON ticket_types.id = ticket_type_id
    UNION ALL
    SELECT quota_id, status, 1 FROM counted JOIN codes ON codes.id = code_id WHERE status <> 'refunded'
  )
  SELECT quota_id AS id, coalesce(sum(number) FILTER (WHERE status = 'held'), 0)::int AS reserved,
    coalesce(sum(number) FILTER (WHERE status <> 'held'), 0)::int AS paid
  FROM drawn GROUP BY quota_id`;

const OF_EVENTS = `
  SELECT events.id, 'event' AS kind, quotas.id AS "quotaId", '' AS name, capacity, held, sold
  FROM events LEFT JOIN quotas ON event_id = events.id AND kind = 'event'
  WHERE events.id > $1 ORDER BY events.id LIMIT ${PAGE}`;

const OF_TYPES_AND_CODES = `
  SELECT event_id AS id, kind, id AS "quotaId", name, capacity, held, sold
  FROM quotas WHERE kind <> 'event' AND id > $1 ORDER BY id LIMIT ${PAGE}`;

/** What the counters should say, by the id of the quota. */
type Counts = Map<number, { reserved: number; paid: number }>;

/** One snapshot sees one instant, so that what is under way never looks like a fault; it locks no row. */
export async function findDisorderly(
  database: DataSource,
  { progress, stopped, statementMs = STATEMENT_MS }: SeatsOptions,
): Promise<{ events: number; disorderly: Seats[] }> {
  return await database.transaction('REPEATABLE READ', async (manager) => {
    await manager.query(`SET LOCAL statement_timeout = ${statementMs}`);
    const [span] = await manager.query<[Span]>('SELECT min(id) AS first, max(id) AS last FROM orders');
    const counts: Counts = new Map();
    const disorderly: Seats[] = [];
    let events = 0;
    await progress(lengthOf(span), async (add) => {
      const count = (from: number, to: number) => countInto(counts, manager, from, to);
      for await (const number of inRanges(manager, span, count)) {
        stopped.throwIfAborted();
        add(number);
      }
      for (const select of [OF_EVENTS, OF_TYPES_AND_CODES]) {
        for (let after = 0, isMore = true; isMore;) {
          stopped.throwIfAborted();
          const page = await manager.query<Omit<Seats, 'reserved' | 'paid'>[]>(select, [after]);
          const counted = page.map((row) => ({
            ...row,
            ...(counts.get(row.quotaId ?? 0) ?? { reserved: 0, paid: 0 }),
          }));
          disorderly.push(...counted.filter(isDisorderly));
          if (select === OF_EVENTS) events += page.length;
          isMore = page.length === PAGE;
          after = page.at(-1)?.[select === OF_EVENTS ? 'id' : 'quotaId'] ?? after;
        }
      }
    });
    return { events, disorderly: await named(manager, disorderly) };
  });
}

async function countInto(counts: Counts, manager: EntityManager, from: number, to: number): Promise<void> {
  const rows = await manager.query<{ id: number; reserved: number; paid: number }[]>(COUNT, [from, to]);
  for (const { id, reserved, paid } of rows) {
    const count = counts.get(id);
    counts.set(id, { reserved: reserved + (count?.reserved ?? 0), paid: paid + (count?.paid ?? 0) });
  }
}

export const isOversold = ({ capacity, reserved, paid }: Seats) =>
  capacity !== null && reserved + paid > capacity;

const isDisorderly = (seats: Seats) =>
  seats.capacity === null || seats.held !== seats.reserved || seats.sold !== seats.paid || isOversold(seats);

/** With the codes whose uses are counted: no index leads from a counter to its code, so only what is wrong is looked up. */
async function named(manager: EntityManager, all: Seats[]): Promise<Seats[]> {
  const ids = all.filter(({ kind }) => kind === 'code').map(({ quotaId }) => quotaId);
  if (ids.length === 0) return all;
  const codes = await manager.query<{ id: number; code: string }[]>(
    'SELECT quota_id AS id, code FROM codes WHERE quota_id = ANY ($1)',
    [ids],
  );
  const codeOf = new Map(codes.map(({ id, code }) => [id, code]));
  return all.map((seats) => ({ ...seats, name: codeOf.get(seats.quotaId ?? 0) ?? seats.name }));
}
