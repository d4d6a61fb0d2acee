import type { Statement } from '../database/statements';

/**
 * Ends at most `$1` holds that are due and gives their seats back. Tickets another process works on are left to it.
 * Answers how late each was ended.
 */
export const RELEASE_DUE_HOLDS: Statement = {
  // Without a name: it runs from the first second on, and would keep the plan it got while there was no ticket yet.
  text: `
    WITH due AS MATERIALIZED (
      SELECT id, event_id FROM tickets
      WHERE status = 'reserved' AND expires_at <= now()
      ORDER BY expires_at
      LIMIT $1
      FOR UPDATE SKIP LOCKED
    ), ${releaseHolds('due')}
    SELECT "lateSeconds" FROM expired`,
};

/**
 * The same for the events in `$1`, whose seats somebody wants now: waits for tickets that another process works on.
 * Answers how late each hold was ended, and the events that are worth another try: those that had due holds, released
 * here or meanwhile elsewhere, and those whose seats somebody else gave back before.
 */
export const RELEASE_DUE_HOLDS_OF_EVENTS: Statement = {
  name: 'release_due_holds_of_events',
  text: `
    WITH due AS MATERIALIZED (
      SELECT id, event_id FROM tickets
      WHERE event_id = ANY ($1::bigint[]) AND status = 'reserved' AND expires_at <= now()
      LIMIT $2
    ), locked AS MATERIALIZED (
      -- The status is looked at later: here it would offer the planner the index of all holds to go through.
      SELECT id, event_id, status FROM tickets
      WHERE id IN (SELECT id FROM due)
      ORDER BY id
      FOR UPDATE
    ), unreleased AS MATERIALIZED (
      SELECT id, event_id FROM locked WHERE status = 'reserved'
    ), ${releaseHolds('unreleased')}
    SELECT event_id AS "eventId", NULL::float8 AS "lateSeconds" FROM due
    UNION
    SELECT event_id, NULL FROM inventory WHERE event_id = ANY ($1::bigint[]) AND held + sold < capacity
    UNION ALL
    SELECT NULL, "lateSeconds" FROM expired`,
};

/** The seats come last: they stay locked for a moment only, however many holds end, and reservations hardly wait. */
function releaseHolds(holds: string): string {
  return `expired AS MATERIALIZED (
      UPDATE tickets SET status = 'expired'
      FROM ${holds}
      WHERE tickets.id = ${holds}.id
      RETURNING tickets.event_id, extract(epoch FROM clock_timestamp() - tickets.expires_at)::float8 AS "lateSeconds"
    ), ended AS MATERIALIZED (
      SELECT event_id, count(*)::int AS number FROM expired GROUP BY event_id
    ), seats AS MATERIALIZED (
      SELECT event_id FROM inventory
      WHERE event_id IN (SELECT event_id FROM ended)
      ORDER BY event_id
      FOR UPDATE
    ), seats_locked AS MATERIALIZED (
      SELECT count(*) FROM seats
    ), returned AS (
      UPDATE inventory SET held = greatest(held - ended.number, 0)
      FROM ended, seats_locked
      WHERE inventory.event_id = ended.event_id
    )`;
}
