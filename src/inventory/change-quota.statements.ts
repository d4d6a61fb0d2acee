import type { Statement } from '../database/statements';

/*
 * What an organizer does with the places of an event, in a transaction of more than one statement. The first locks the
 * counters: what is decided after it holds until the commit, and orders wait for that.
 */

/** Locks the counters of the event `$1`, and answers that of all its places. */
export const LOCK_QUOTAS: Statement = {
  text: `
    WITH locked AS MATERIALIZED (
      SELECT kind, held, sold FROM quotas WHERE event_id = $1 ORDER BY id FOR UPDATE
    )
    SELECT held, sold FROM locked WHERE kind = 'event'`,
};

/** Only after `LOCK_QUOTAS`: whether there ever was an order for the event `$1`, whatever became of it. */
export const HAS_ORDERS: Statement = {
  text: 'SELECT EXISTS (SELECT FROM orders WHERE event_id = $1) AS "hasOrders"',
};

export const SET_CAPACITY: Statement = {
  text: `UPDATE quotas SET capacity = $2 WHERE event_id = $1 AND kind = 'event'`,
};

/** With what draws on them: the ticket types and codes of the event. */
export const DELETE_QUOTAS: Statement = {
  text: `
    WITH types AS (DELETE FROM ticket_types WHERE event_id = $1), discounts AS (DELETE FROM codes WHERE event_id = $1)
    DELETE FROM quotas WHERE event_id = $1`,
};
