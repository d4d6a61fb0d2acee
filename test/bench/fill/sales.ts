import type { Database } from '../harness/database';
import { analyzeTables } from './bulk';
import type { Ids } from '../load/job';
import { PLENTY } from './seats';

/** Events with ticket types; the types of the n-th event are those from `typesPerEvent * n` on. */
export interface Sale {
  events: Ids;
  types: Ids;
  typesPerEvent: number;
}

/**
 * How an event is sold: `one` free type of the event's places alone, `three` types that share a quota beside, or `four`
 * types with a quota each.
 */
export type SaleKind = 'one' | 'three' | 'four';

const TYPES: Record<SaleKind, { types: number; quotas: number }> = {
  one: { types: 1, quotas: 0 },
  three: { types: 3, quotas: 1 },
  four: { types: 4, quotas: 4 },
};

/** Events that end in a year, each with plenty of places in each of its quotas. */
export async function openSales(
  database: Database,
  { kind, count }: { kind: SaleKind; count: number },
): Promise<Sale> {
  const { types, quotas } = TYPES[kind];
  const [ids] = await database.sql<{ event: number; type: number }>(
    `WITH event AS (
      INSERT INTO events (title, start_time, end_time)
      SELECT 'Sale ' || n, now() + interval '1 year', now() + interval '1 year' FROM generate_series(1, ${count}) AS n
      RETURNING id
    ), quota AS (
      INSERT INTO quotas (event_id, kind, capacity)
      SELECT id, CASE WHEN k = 0 THEN 'event' ELSE 'type' END, ${PLENTY} FROM event, generate_series(0, ${quotas}) AS k
      ORDER BY id, k
      RETURNING id, event_id
    ), numbered AS (
      SELECT event_id, array_agg(id ORDER BY id) AS ids FROM quota GROUP BY event_id
    ), type AS (
      INSERT INTO ticket_types (event_id, name, quota_ids)
      SELECT event_id, 'Type ' || k,
        CASE WHEN ${quotas} = 0 THEN ids ELSE ARRAY[ids[1], ids[2 + (k - 1) % greatest(${quotas}, 1)]] END
      FROM numbered, generate_series(1, ${types}) AS k
      ORDER BY event_id, k
      RETURNING id, event_id
    )
    SELECT min(event_id)::float8 AS event, min(id)::float8 AS type FROM type`,
  );
  // As autovacuum does within a minute.
  await analyzeTables(database, 'events', 'quotas', 'ticket_types');
  return {
    events: { first: ids?.event ?? 0, count },
    types: { first: ids?.type ?? 0, count: count * types },
    typesPerEvent: types,
  };
}

export interface OrdersToAdd {
  sale: Sale;
  users: Ids;
  count: number;
  /** SQL that may use `n`, from 1 on. */
  expiresAt: string;
  status?: 'held' | 'paid';
}

/** Free orders of 1 to 8 tickets, of the one type of one event, as if they had been placed. */
export async function addOrders(
  database: Database,
  { sale, users, count, expiresAt, status = 'held' }: OrdersToAdd,
): Promise<{ orders: Ids; places: number }> {
  const paidAt = status === 'paid' ? 'now()' : 'NULL';
  const [made] = await database.sql<{ first: number; places: number }>(
    `WITH made AS (
      INSERT INTO orders (user_id, event_id, status, places, created_at, expires_at, paid_at, type_ids, numbers, quota_ids,
        quota_numbers)
      SELECT ${users.first} + (n - 1) % ${users.count}, type.event_id, '${status}', places, now(), ${expiresAt}, ${paidAt},
        ARRAY[type.id], ARRAY[places], type.quota_ids, array_fill(places, ARRAY[cardinality(type.quota_ids)])
      FROM ticket_types AS type, generate_series(1, ${count}) AS n, LATERAL (SELECT (1 + n % 8)::int AS places) AS size
      WHERE type.id = ${sale.types.first}
      ORDER BY n
      RETURNING id, places, type_ids, quota_ids
    ), issued AS (
      INSERT INTO tickets (order_id, ticket_type_id)
      SELECT id, type_ids[1] FROM made, generate_series(1, places) ORDER BY id
    ), taken AS (
      UPDATE quotas SET ${status === 'held' ? 'held = held' : 'sold = sold'} + (SELECT sum(places) FROM made)
      WHERE id = ANY (ARRAY(SELECT DISTINCT unnest(quota_ids) FROM made))
    )
    SELECT min(id)::float8 AS first, sum(places)::float8 AS places FROM made`,
  );
  return { orders: { first: made?.first ?? 0, count }, places: made?.places ?? 0 };
}

/** Gives the orders of a sale a price, as if they had been placed with it. */
export async function priceOrders(database: Database, { events, types }: Sale, price: number): Promise<void> {
  await database.sql(`UPDATE events SET currency = 'EUR' WHERE id = $1`, [events.first]);
  await database.sql('UPDATE ticket_types SET price = $2 WHERE id = $1', [types.first, price]);
  await database.sql(
    `UPDATE orders SET total = places * $2::bigint, currency = 'EUR', unit_prices = ARRAY[$2::bigint] WHERE event_id = $1`,
    [events.first, price],
  );
  await database.sql('UPDATE tickets SET price = $2 WHERE ticket_type_id = $1', [types.first, price]);
}
