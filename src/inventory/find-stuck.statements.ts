import type { Statement } from '../database/statements';

/*
 * Which rows somebody keeps locked at this moment. Each statement locks what it can for the moment it takes, waits for
 * nothing, and answers what it could not lock.
 */

/** Of the events in `$1`, those whose counters are locked. */
export const FIND_STUCK_EVENTS: Statement = {
  text: `
    WITH free AS MATERIALIZED (
      SELECT event_id FROM inventory WHERE event_id = ANY ($1::bigint[]) FOR UPDATE SKIP LOCKED
    )
    SELECT event_id AS id FROM inventory
    WHERE event_id = ANY ($1::bigint[]) AND event_id NOT IN (SELECT event_id FROM free)`,
};

/** The tickets in `$1` that there are: whose event each is for, and whether it is locked. */
export const FIND_STUCK_TICKETS: Statement = {
  text: `
    WITH free AS MATERIALIZED (
      SELECT id FROM tickets WHERE id = ANY ($1::bigint[]) FOR UPDATE SKIP LOCKED
    )
    SELECT id, event_id AS "eventId", id NOT IN (SELECT id FROM free) AS "isStuck"
    FROM tickets WHERE id = ANY ($1::bigint[])`,
};

/** The events of the first `$1` holds that fell due after `$2`, but for the events in `$3`. */
export const EVENTS_OF_DUE_HOLDS: Statement = {
  text: `
    SELECT DISTINCT event_id AS id FROM (
      SELECT event_id FROM tickets
      WHERE status = 'reserved' AND expires_at <= now() AND expires_at > $2::timestamptz
        AND event_id <> ALL ($3::bigint[])
      ORDER BY expires_at
      LIMIT $1
    ) AS due`,
};
