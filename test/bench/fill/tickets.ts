import type { Database } from '../harness/database';
import type { Ids } from '../load/job';
import { insertInBulk } from './bulk';

/** Orders of one ticket of one user that expired long ago. */
export async function addHistory(database: Database, user: number, count: number): Promise<void> {
  await insertInBulk(
    database,
    'orders',
    `INSERT INTO orders (user_id, event_id, status, places, created_at, expires_at, type_ids, numbers, quota_ids,
       quota_numbers)
     SELECT ${user}, event_id, 'expired', 1, at, at + interval '2 minutes', ARRAY[type.id], ARRAY[1], quota_ids, ARRAY[1]
     FROM (SELECT * FROM ticket_types ORDER BY event_id LIMIT 1) AS type,
       (SELECT now() - n * interval '1 second' AS at FROM generate_series(${count}, 1, -1) AS n) AS past`,
  );
  await issueTickets(database);
}

/** As many paid tickets, in orders of 1 to 6 of random users, spread evenly over all events. */
export async function addSales(database: Database, users: Ids, count: number): Promise<void> {
  await insertInBulk(
    database,
    'orders',
    `INSERT INTO orders (user_id, event_id, status, places, created_at, expires_at, paid_at, type_ids, numbers, quota_ids,
       quota_numbers)
     SELECT ${users.first} + floor(random() * ${users.count})::bigint, events[at_type], 'paid', places,
       at, at + interval '2 minutes', at + interval '1 minute', ARRAY[types[at_type]], ARRAY[places],
       ARRAY[quotas[at_type]], ARRAY[places]
     FROM (
       SELECT array_agg(event_id ORDER BY id) AS events, array_agg(id ORDER BY id) AS types,
         array_agg(quota_ids[1] ORDER BY id) AS quotas
       FROM ticket_types
     ) AS all_types,
       LATERAL (
         SELECT 1 + n % array_length(types, 1) AS at_type, now() - n * interval '1 second' AS at, 1 + n % 6 AS places
         FROM generate_series(${Math.ceil(count / MEAN_PLACES)}, 1, -1) AS n
       ) AS past`,
    `UPDATE quotas SET sold = sold + sales.number
     FROM (SELECT event_id, sum(places) AS number FROM orders WHERE status = 'paid' GROUP BY event_id) AS sales
     WHERE quotas.event_id = sales.event_id AND kind = 'event'`,
  );
  await issueTickets(database);
}

/** Of 1 to 6. */
const MEAN_PLACES = 3.5;

/** The tickets of each order that has none yet. */
async function issueTickets(database: Database): Promise<void> {
  await insertInBulk(
    database,
    'tickets',
    `INSERT INTO tickets (order_id, ticket_type_id)
     SELECT id, type_ids[1] FROM orders, generate_series(1, places)
     WHERE NOT EXISTS (SELECT FROM tickets WHERE order_id = orders.id) ORDER BY id`,
  );
}
