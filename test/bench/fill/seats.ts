import type { Database } from '../harness/database';
import { HOLDER_STEP, type Ids } from '../load/job';

/** Places of an event that nobody can sell out while it is measured. */
export const PLENTY = 10_000_000;

/** Events that end in a year (`isOver`: ended a year ago), each with so many places for sale. */
export async function openEvents(
  database: Pick<Database, 'sql'>,
  count: number,
  capacity = PLENTY,
  isOver = false,
): Promise<Ids> {
  const time = `now() ${isOver ? '-' : '+'} interval '1 year'`;
  return await add(
    database,
    `event AS (
      INSERT INTO events (title, start_time, end_time)
      SELECT 'Sale ' || n, ${time}, ${time} FROM generate_series(1, ${count}) AS n
      RETURNING id
    ), quota AS (
      INSERT INTO quotas (event_id, kind, capacity) SELECT id, 'event', ${capacity} FROM event ORDER BY id
      RETURNING id, event_id
    )`,
    `INSERT INTO ticket_types (event_id, name, quota_ids) SELECT event_id, 'Ticket', ARRAY[id] FROM quota ORDER BY event_id
     RETURNING event_id AS id`,
  );
}

/** Live holds of the users (`holderAt`) on one event, as if they had been reserved; `expiresAt` is SQL that may use `n`. */
export async function addHolds(
  database: Pick<Database, 'sql'>,
  { event, users, count, expiresAt }: { event: Ids; users: Ids; count: number; expiresAt: string },
): Promise<Ids> {
  return await add(
    database,
    `taken AS (UPDATE quotas SET held = held + ${count} WHERE event_id = ${event.first}), made AS (
      INSERT INTO orders (user_id, event_id, status, places, created_at, expires_at, type_ids, numbers, quota_ids,
        quota_numbers)
      SELECT ${users.first} + (n - 1) * ${HOLDER_STEP}::bigint % ${users.count}, event_id, 'held', 1, now(), ${expiresAt},
        ARRAY[id], ARRAY[1], quota_ids, ARRAY[1]
      FROM ticket_types, generate_series(1, ${count}) AS n
      WHERE event_id = ${event.first}
      ORDER BY n
      RETURNING id, type_ids
    )`,
    'INSERT INTO tickets (order_id, ticket_type_id) SELECT id, type_ids[1] FROM made ORDER BY id RETURNING id',
  );
}

/** One INSERT hands out ids one after the other as long as no other session inserts. */
async function add(database: Pick<Database, 'sql'>, before: string, insert: string): Promise<Ids> {
  const [ids] = await database.sql<{ first: number; count: number }>(
    `WITH ${before}, added AS (${insert})
     SELECT min(id)::float8 AS first, count(*)::float8 AS count FROM added`,
  );
  return ids ?? { first: 0, count: 0 };
}
