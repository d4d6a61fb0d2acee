import type { DataSource } from 'typeorm';
import type { SeatsOptions } from './count-places';
import { STATEMENT_MS } from './ranges';
import type { Finding } from './report';
import { RowFaults } from './row-faults';

/*
 * Orders, tickets, payments, quotas, codes and ticket types have no foreign keys, which took a third of the time of a reservation. So
 * the doctor looks for what a deletion by hand, or a restore of a part, left behind.
 */

const OF_ORDERS = `
  WITH asked AS MATERIALIZED (
    SELECT id, user_id, event_id, type_ids, places, code_id, CASE WHEN status = 'held' THEN quota_ids END AS quota_ids
    FROM orders WHERE id BETWEEN $1 AND $2
  ), given AS MATERIALIZED (
    SELECT order_id, count(*) AS places, min(id) AS first_id FROM tickets WHERE order_id BETWEEN $1 AND $2 GROUP BY order_id
  ), fault AS (
    SELECT 'ticket|without an order' AS what, first_id AS id, places AS number FROM given
    WHERE NOT EXISTS (SELECT FROM asked WHERE asked.id = order_id)
    UNION ALL
    SELECT 'order|without a user', id, 1 FROM asked WHERE NOT EXISTS (SELECT FROM users WHERE users.id = user_id)
    UNION ALL
    SELECT 'order|without an event', id, 1 FROM asked WHERE NOT EXISTS (SELECT FROM events WHERE events.id = event_id)
    UNION ALL
    SELECT DISTINCT 'order|without a ticket type', asked.id, 1
    FROM asked CROSS JOIN unnest(type_ids) AS type_id LEFT JOIN ticket_types ON ticket_types.id = type_id
    WHERE ticket_types.id IS NULL
    UNION ALL
    SELECT 'order|without its code', id, 1 FROM asked
    WHERE code_id IS NOT NULL AND NOT EXISTS (SELECT FROM codes WHERE codes.id = code_id)
    UNION ALL
    SELECT DISTINCT 'order|without a quota to give its places back to', asked.id, 1
    FROM asked CROSS JOIN unnest(quota_ids) AS quota_id LEFT JOIN quotas ON quotas.id = quota_id
    -- An event without a counter is a matter of the check of seats.
    WHERE quotas.id IS NULL AND EXISTS (SELECT FROM quotas WHERE quotas.event_id = asked.event_id AND kind = 'event')
    UNION ALL
    SELECT 'payment|without an order', payments.id, 1 FROM payments
    WHERE order_id BETWEEN $1 AND $2 AND NOT EXISTS (SELECT FROM asked WHERE asked.id = order_id)
    UNION ALL
    SELECT 'order|with more or fewer tickets than places', id, 1 FROM asked LEFT JOIN given ON order_id = id
    WHERE asked.places <> coalesce(given.places, 0)
  )
  SELECT what, sum(number)::int8 AS number, min(id) AS first FROM fault GROUP BY what`;

const BEFORE_AND_AFTER_ORDERS = `
  SELECT 'ticket|without an order' AS what, count(*) AS number, min(id) AS first FROM tickets
  WHERE $1::bigint IS NULL OR order_id < $1 OR order_id > $2 HAVING count(*) > 0
  UNION ALL
  SELECT 'payment|without an order', count(*), min(id) FROM payments
  WHERE $1::bigint IS NULL OR order_id < $1 OR order_id > $2 HAVING count(*) > 0`;

const OF_EVENTS = `
  WITH fault AS (
    SELECT 'ticket type|without an event' AS what, id FROM ticket_types
    WHERE NOT EXISTS (SELECT FROM events WHERE events.id = event_id)
    UNION ALL
    SELECT DISTINCT 'ticket type|without a quota', ticket_types.id
    FROM ticket_types CROSS JOIN unnest(quota_ids) AS quota_id LEFT JOIN quotas ON quotas.id = quota_id
    WHERE quotas.id IS NULL
      -- An event without a counter is a matter of the check of seats.
      AND EXISTS (SELECT FROM quotas WHERE quotas.event_id = ticket_types.event_id AND kind = 'event')
    UNION ALL
    SELECT 'code|without a quota', id FROM codes
    WHERE deleted_at IS NULL AND NOT EXISTS (SELECT FROM quotas WHERE quotas.id = quota_id)
    UNION ALL
    SELECT 'code|without an event', id FROM codes
    WHERE deleted_at IS NULL AND NOT EXISTS (SELECT FROM events WHERE events.id = event_id)
    UNION ALL
    SELECT 'quota|without an event', id FROM quotas WHERE NOT EXISTS (SELECT FROM events WHERE events.id = event_id)
  )
  SELECT what, count(*) AS number, min(id) AS first FROM fault GROUP BY what`;

/** Rows whose counterparts are gone. */
export async function checkOrphans(database: DataSource, options: SeatsOptions): Promise<Finding> {
  const faults = new RowFaults();
  // One snapshot sees one instant, so that what is under way never looks like a fault.
  await database.transaction('REPEATABLE READ', async (manager) => {
    await manager.query(`SET LOCAL statement_timeout = ${options.statementMs ?? STATEMENT_MS}`);
    const span = await faults.findThrough(manager, 'orders', OF_ORDERS, options);
    await faults.find(manager, BEFORE_AND_AFTER_ORDERS, [span.first, span.last]);
    await faults.find(manager, OF_EVENTS);
  });
  const { details } = faults;
  if (details.length === 0) return { status: 'ok', message: 'Nothing hangs in the air' };
  return {
    status: 'wrong',
    message: 'Rows have lost what they belong to',
    details,
    advice:
      'Rows were deleted by hand, or a restore left some out: put them back from a backup, or delete what is left of them.',
  };
}
