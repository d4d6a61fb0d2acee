import type { Statement } from '../database/statements';

/*
 * What an organizer does with the places of an event, in a transaction of more than one statement. The first locks the
 * counters: what is decided after it holds until the commit, and orders wait for that.
 */

/** Locks the counters of the event `$1`, and answers the id of that of all its places. */
export const LOCK_QUOTAS: Statement = {
  text: `
    WITH locked AS MATERIALIZED (
      SELECT id, kind FROM quotas WHERE event_id = $1 ORDER BY id FOR UPDATE
    )
    SELECT id FROM locked WHERE kind = 'event'`,
};

/**
 * Only after `LOCK_QUOTAS`: whether there ever was an order for the event `$1`, whatever became of it, and whether it sells
 * anything that has a price.
 */
export const FIND_SALES: Statement = {
  text: `
    SELECT EXISTS (SELECT FROM orders WHERE event_id = $1) AS "hasOrders",
      EXISTS (SELECT FROM ticket_types WHERE event_id = $1 AND price > 0 AND archived_at IS NULL) AS "hasPrices"`,
};

export const COUNT_ALL_QUOTAS: Statement = {
  name: 'count_all_quotas',
  text: 'SELECT count(*)::int AS number FROM quotas WHERE event_id = $1',
};

/** With what draws on them, the ticket types and codes of the event, and with what closed them, its cancellation. */
export const DELETE_QUOTAS: Statement = {
  text: `
    WITH types AS (DELETE FROM ticket_types WHERE event_id = $1), discounts AS (DELETE FROM codes WHERE event_id = $1),
      cancellation AS (DELETE FROM event_cancellations WHERE event_id = $1)
    DELETE FROM quotas WHERE event_id = $1`,
};

/*
 * What an organizer changes of one of the counters. Each waits for the orders that are being placed, and those that come
 * meanwhile wait for it: so it decides on the counters as they are.
 */

export const LOCK_QUOTA: Statement = {
  name: 'lock_quota',
  text: 'SELECT held, sold FROM quotas WHERE id = $1 FOR UPDATE',
};

/** A statement after the one that locks: in one with it, the CHECK would see the counters from before the wait. */
export const CHANGE_QUOTA: Statement = {
  name: 'change_quota',
  text: `UPDATE quotas SET name = coalesce($2::text, name), capacity = coalesce($3::int, capacity) WHERE id = $1`,
};

/**
 * Only after `OUTDATE_ORDERS`: the quota `$2` of the event `$1`, where it was a ticket type's own and none draws on it any
 * more. An archived type still may: its tickets can give places back. Orders that looked it up before are looked up anew.
 */
export const DELETE_UNUSED_QUOTA: Statement = {
  name: 'delete_unused_quota',
  text: `
    DELETE FROM quotas
    WHERE id = $2 AND event_id = $1 AND kind = 'type' AND name = '' AND held = 0 AND sold = 0
      AND NOT EXISTS (SELECT FROM ticket_types WHERE event_id = $1 AND $2 = ANY (quota_ids))`,
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
