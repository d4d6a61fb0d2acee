import type { Database } from '../harness/database';
import type { Ids } from '../load/job';
import { insertInBulk } from './bulk';

/** Tickets of one user that expired long ago. */
export async function addHistory(database: Database, user: number, count: number): Promise<void> {
  await insertInBulk(
    database,
    'tickets',
    `INSERT INTO tickets (user_id, event_id, status, created_at, expires_at)
     SELECT ${user}, (SELECT min(id) FROM events), 'expired', at, at + interval '2 minutes'
     FROM (SELECT now() - n * interval '1 second' AS at FROM generate_series(${count}, 1, -1) AS n) AS past`,
  );
}

/** Paid tickets of random users, spread evenly over all events. */
export async function addSales(database: Database, users: Ids, count: number): Promise<void> {
  await insertInBulk(
    database,
    'tickets',
    `INSERT INTO tickets (user_id, event_id, status, created_at, expires_at, paid_at)
     SELECT ${users.first} + floor(random() * ${users.count})::bigint, ids[1 + n % array_length(ids, 1)], 'paid',
       at, at + interval '2 minutes', at + interval '1 minute'
     FROM (SELECT array_agg(id ORDER BY id) AS ids FROM events) AS all_events,
       LATERAL (SELECT n, now() - n * interval '1 second' AS at FROM generate_series(${count}, 1, -1) AS n) AS past`,
    `UPDATE quotas SET sold = sold + sales.number
     FROM (SELECT event_id, count(*) AS number FROM ticket_states WHERE status = 'paid' GROUP BY event_id) AS sales
     WHERE inventory.event_id = sales.event_id`,
  );
}
