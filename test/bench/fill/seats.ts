import type { Database } from '../harness/database';
import { HOLDER_STEP, type Ids } from '../load/job';

/** Events that end in a year (`isOver`: ended a year ago), each with so many places for sale. */
export async function openEvents(
  database: Pick<Database, 'sql'>,
  count: number,
  capacity: number,
  isOver = false,
): Promise<Ids> {
  const time = `now() ${isOver ? '-' : '+'} interval '1 year'`;
  return await add(
    database,
    `event AS (
      INSERT INTO events (title, start_time, end_time)
      SELECT 'Sale ' || n, ${time}, ${time} FROM generate_series(1, ${count}) AS n
      RETURNING id
    )`,
    `INSERT INTO inventory (event_id, capacity) SELECT id, ${capacity} FROM event RETURNING event_id AS id`,
  );
}

/** Live holds of the users (`holderAt`) on one event, as if they had been reserved; `expiresAt` is SQL that may use `n`. */
export async function addHolds(
  database: Database,
  { event, users, count, expiresAt }: { event: Ids; users: Ids; count: number; expiresAt: string },
): Promise<Ids> {
  return await add(
    database,
    `taken AS (UPDATE quotas SET held = held + ${count} WHERE event_id = ${event.first})`,
    `INSERT INTO tickets (user_id, event_id, status, created_at, expires_at)
     SELECT ${users.first} + (n - 1) * ${HOLDER_STEP}::bigint % ${users.count}, ${event.first}, 'reserved', now(), ${expiresAt}
     FROM generate_series(1, ${count}) AS n
     RETURNING id`,
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
