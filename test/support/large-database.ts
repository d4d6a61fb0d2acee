import { Client } from 'pg';
import { createDatabase, type TestDatabase } from './databases';
import { makeOrders, sellEvents } from './fill';

const EVENTS = 100_000;
export const USERS = 20_000;
const TICKETS = 200_000;
const SESSIONS = 50_000;
const KEYS = 100_000;
const PAYMENTS = 50_000;
/** In London, and not over. */
export const LONDON_EVENTS = 500;

/** A user with a hundredth of all events, tickets and sessions. */
export const COLLECTOR = 1;

/** Without triggers and foreign keys, which would take most of the time: what the triggers set is set here. */
const FILL = [
  `ALTER TABLE events DISABLE TRIGGER USER`,
  `ALTER TABLE events DROP CONSTRAINT events_organizer_id_fkey`,
  `ALTER TABLE sessions DROP CONSTRAINT sessions_user_id_fkey`,
  `INSERT INTO users (name, email) SELECT 'User ' || n, n || '@example.com' FROM generate_series(1, ${USERS}) AS n`,
  // All over the world, half of them over; at the end those of one city. Everything is sold out.
  `INSERT INTO events (organizer_id, title, start_time, end_time, venue_latitude, venue_longitude, position, search)
  SELECT organizer_id, title, start_time, start_time + interval '3 hours', latitude, longitude,
    unit_sphere_point(latitude, longitude), setweight(to_tsvector('unaccented', title), 'A')
  FROM (
    SELECT CASE WHEN n % 100 = 1 THEN ${COLLECTOR} ELSE 1 + n % ${USERS} END AS organizer_id,
      'Concert ' || n % 1000 || ' solo' || n AS title,
      CASE WHEN isLondon THEN now() + interval '30 days' ELSE now() + (n * 7 % 20011 - 10000) * interval '30 minutes' END
        AS start_time,
      CASE WHEN isLondon THEN 51.5072 + n % 10 / 100.0 ELSE degrees(asin(2 * (n * 7919 % 100003) / 100003.0 - 1)) END
        AS latitude,
      CASE WHEN isLondon THEN -0.1276 + n % 7 / 100.0 ELSE (n * 104729 % 100019) / 100019.0 * 360 - 180 END
        AS longitude
    FROM (SELECT n, n > ${EVENTS - LONDON_EVENTS} AS isLondon FROM generate_series(1, ${EVENTS}::bigint) AS n) AS series
  ) AS event`,
  sellEvents('SELECT id, 100, 100, 0 FROM events'),
  `INSERT INTO codes (event_id, quota_id, code, code_key, percent_off)
  SELECT event_id, id, 'Friends', 'friends', 10 FROM quotas`,
  // The planner is to know of all that is joined here.
  'ANALYZE quotas, ticket_types',
  makeOrders(`
  SELECT CASE WHEN n % 100 = 1 THEN ${COLLECTOR} ELSE 1 + n % ${USERS} END, 1 + n % ${EVENTS - LONDON_EVENTS}, status, now(), expires_at, CASE status WHEN 'paid' THEN now() END
  FROM (
    SELECT n, (ARRAY['paid', 'paid', 'expired', 'cancelled'])[1 + n % 4] AS status, now() + interval '1 hour' AS expires_at
    FROM generate_series(1, ${TICKETS}) AS n WHERE n % 50 > 0
    UNION ALL
    SELECT n, 'held', now() + (n % 100 - 10) * interval '1 minute'
    FROM generate_series(1, ${TICKETS}) AS n WHERE n % 50 = 0
  ) AS ticket`),
  `INSERT INTO sessions (id, user_id, token_hash, expires_at)
  SELECT gen_random_uuid(), CASE WHEN n % 100 = 1 THEN ${COLLECTOR} ELSE 1 + n % ${USERS} END, '', now() + n * interval '1 minute'
  FROM generate_series(1, ${SESSIONS}) AS n`,
  // A hundredth has expired.
  `INSERT INTO idempotency_keys (id, fingerprint, answer, expires_at)
  SELECT sha256(n::text::bytea), '', '', now() + (n - ${KEYS / 100}) * interval '1 second' FROM generate_series(1, ${KEYS}) AS n`,
  // Of the paid orders, of which a tenth was refunded; and a few that are open.
  `INSERT INTO payments (order_id, event_id, provider, provider_payment, status, amount, taken, currency, created_at)
  SELECT id, event_id, 'sandbox', 'pay_' || id, 'succeeded', 100, 100, 'EUR', created_at FROM orders WHERE status = 'paid' LIMIT ${PAYMENTS}`,
  `INSERT INTO payments (order_id, event_id, provider, status, amount, currency, created_at, ask_at)
  SELECT id, event_id, 'sandbox', 'processing', 100, 'EUR', created_at, expires_at FROM orders WHERE status = 'held' LIMIT 500`,
  `INSERT INTO refunds (order_id, event_id, payment_id, status, amount, currency, cause, created_at)
  SELECT order_id, event_id, id, 'succeeded', 100, 'EUR', 'organizer', created_at FROM payments WHERE taken > 0 AND id % 10 = 0`,
  `INSERT INTO provider_events (provider, event_id, payment_id) SELECT 'sandbox', 'evt_' || id, id FROM payments`,
  `VACUUM ANALYZE users, events, quotas, ticket_types, codes, orders, tickets, sessions, idempotency_keys, payments, refunds, provider_events`,
];

/** A database with as many rows as a large house has, and a connection to it; both are the caller's to end. */
export async function createLargeDatabase(): Promise<[TestDatabase, Client]> {
  const database = await createDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  for (const statement of FILL) await client.query(statement);
  return [database, client];
}

const ORDERS_OF_ONE = 50_000;
const MOST_OF_EACH = 100;

/** Gives one event of such a database many orders and payments, and as many types, quotas and codes as an event may have. */
export const sellMuchOf = (event: number) => [
  makeOrders(`SELECT 1 + n % ${USERS}, ${event}, CASE WHEN n % 3 = 0 THEN 'cancelled' ELSE 'paid' END, now(), now(), now()
    FROM generate_series(1, ${ORDERS_OF_ONE}) AS n`),
  `INSERT INTO payments (order_id, event_id, provider, status, amount, taken, created_at)
  SELECT id, event_id, 'none', 'succeeded', 0, 0, now() FROM orders WHERE status = 'paid' AND (event_id <> ${event} OR id % 50 = 0)`,
  `WITH quota AS (
    INSERT INTO quotas (event_id, kind, capacity, name) SELECT ${event}, 'type', 100, 'Quota ' || n FROM generate_series(1, ${MOST_OF_EACH}) AS n
    RETURNING id
  )
  INSERT INTO ticket_types (event_id, name, quota_ids, position)
  SELECT ${event}, 'Type', ARRAY[event_quota.id, quota.id], 1 FROM quota, quotas AS event_quota
  WHERE event_quota.event_id = ${event} AND event_quota.kind = 'event'`,
  `WITH quota AS (
    INSERT INTO quotas (event_id, kind, capacity) SELECT ${event}, 'code', 100 FROM generate_series(1, ${MOST_OF_EACH}) RETURNING id
  )
  INSERT INTO codes (event_id, quota_id, code, code_key, percent_off) SELECT ${event}, id, 'C' || id, 'c' || id, 10 FROM quota`,
  'VACUUM ANALYZE quotas, ticket_types, codes, orders, tickets, payments',
];
