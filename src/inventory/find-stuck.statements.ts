import type { Statement } from '../database/statements';

/*
 * Which rows somebody keeps locked at this moment. Each statement locks what it can for the moment it takes, waits for
 * nothing, and answers what it could not lock.
 */

/** Of the events in `$1`, those of which a quota is locked. */
export const FIND_STUCK_EVENTS: Statement = {
  text: `
    WITH free AS MATERIALIZED (
      SELECT id FROM quotas WHERE event_id = ANY ($1::bigint[]) FOR UPDATE SKIP LOCKED
    )
    SELECT DISTINCT event_id AS id FROM quotas
    WHERE event_id = ANY ($1::bigint[]) AND id NOT IN (SELECT id FROM free)`,
};

/**
 * The orders in `$1`, and those of the tickets in `$2`, that there are: which event each is for, and whether it is locked.
 */
export const FIND_STUCK_ORDERS: Statement = {
  text: `
    WITH wanted AS MATERIALIZED (
      SELECT unnest($1::bigint[]) AS id, NULL::bigint AS ticket_id
      UNION ALL
      SELECT order_id, id FROM tickets WHERE id = ANY ($2::bigint[])
    ), free AS MATERIALIZED (
      SELECT id FROM orders WHERE id IN (SELECT id FROM wanted) FOR UPDATE SKIP LOCKED
    )
    SELECT orders.id, wanted.ticket_id AS "ticketId", event_id AS "eventId", orders.id NOT IN (SELECT id FROM free) AS "isStuck"
    FROM wanted JOIN orders ON orders.id = wanted.id`,
};

/** The events of the first `$1` holds that fell due after `$2`, but for the events in `$3`. */
export const EVENTS_OF_DUE_HOLDS: Statement = {
  text: `
    SELECT DISTINCT event_id AS id FROM (
      SELECT event_id FROM orders
      WHERE status = 'held' AND expires_at <= now() AND expires_at > $2::timestamptz
        AND event_id <> ALL ($3::bigint[])
      ORDER BY expires_at
      LIMIT $1
    ) AS due`,
};
