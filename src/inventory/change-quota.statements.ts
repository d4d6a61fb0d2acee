import type { Statement } from '../database/statements';

/*
 * What an organizer changes of the counters. Each waits for the orders that are being placed, and those that come
 * meanwhile wait for it: so it decides on the counters as they are.
 */

export const LOCK_QUOTA: Statement = {
  name: 'lock_quota',
  text: 'SELECT capacity, held, sold FROM quotas WHERE id = $1 FOR UPDATE',
};

/** A statement after the one that locks: in one with it, the CHECK would see the counters from before the wait. */
export const CHANGE_QUOTA: Statement = {
  name: 'change_quota',
  text: `UPDATE quotas SET name = coalesce($2::text, name), capacity = coalesce($3::int, capacity) WHERE id = $1`,
};

export const OUTDATE_ORDERS: Statement = {
  name: 'outdate_orders',
  text: `UPDATE quotas SET version = version + 1 WHERE event_id = $1 AND kind = 'event'`,
};

/** Whether one of the newest `$3` orders of the event `$1` has the ticket type `$2`, or there are more orders than that. */
export const FIND_ORDERS_OF_TYPE: Statement = {
  name: 'find_orders_of_type',
  text: `
    SELECT coalesce(bool_or($2::bigint = ANY (type_ids)), false) OR count(*) > $3::int AS "isFound"
    FROM (SELECT type_ids FROM orders WHERE event_id = $1 ORDER BY id DESC LIMIT $3::int + 1) AS newest`,
};
