import type { Statement } from '../database/statements';
import { waitAtMost } from './lock-timeout';

/**
 * Ends at most `$1` holds that fell due after `$2` and gives their seats back: of any event but those in `$3`, whose
 * counters are locked by somebody. Tickets another process works on are left to it. `$4`: how many milliseconds to wait
 * for a lock.
 *
 * Answers one row: when it looked, how late each hold was ended, and, where they were fewer than `$1`, since when the first
 * of those it left is due.
 */
export const RELEASE_DUE_HOLDS: Statement = {
  // Without a name: it runs from the first second on, and would keep the plan it got while there was no ticket yet.
  text: `
    WITH ${waitAtMost('$4')}, due AS MATERIALIZED (
      SELECT id, event_id FROM tickets
      WHERE status = 'reserved' AND expires_at <= now() AND expires_at > $2::timestamptz
        AND event_id <> ALL ($3::bigint[])
      ORDER BY expires_at
      LIMIT $1
      FOR UPDATE SKIP LOCKED
    ), ${releaseHolds('due')}
    SELECT now() AS "lookedAt", ARRAY(SELECT "lateSeconds" FROM expired) AS "lateSeconds",
      CASE WHEN (SELECT count(*) FROM due) < $1 THEN (
        SELECT expires_at FROM tickets
        WHERE status = 'reserved' AND expires_at <= now() AND expires_at > $2::timestamptz
          AND id NOT IN (SELECT id FROM due)
        ORDER BY expires_at
        LIMIT 1
      ) END AS "leftSince"`,
};

/**
 * The same for the events in `$1`, whose seats somebody wants now, at most `$2` holds, of each event those that fell due
 * after the time in `$3`; but not the tickets in `$4`, which are locked by somebody. Waits for tickets that another process
 * works on, at most `$5` milliseconds for each lock.
 *
 * Answers one row: when it looked, how late each hold was ended, the events that are worth another try (those that had
 * due holds, released here or meanwhile elsewhere, and those whose seats somebody else gave back before), the tickets
 * that were due and skipped, and whether there were fewer than `$2`.
 */
export const RELEASE_DUE_HOLDS_OF_EVENTS = releaseOfEvents('');

/** The same without waiting for a ticket. */
export const RELEASE_UNLOCKED_HOLDS_OF_EVENTS = releaseOfEvents('SKIP LOCKED');

function releaseOfEvents(skip: '' | 'SKIP LOCKED'): Statement {
  return {
    name: `release_due_holds_of_events${skip && '_skip_locked'}`,
    text: `
    WITH ${waitAtMost('$5')}, due AS MATERIALIZED (
      SELECT due.id, wanted.event_id
      FROM unnest($1::bigint[], $3::timestamptz[]) AS wanted (event_id, since)
      CROSS JOIN LATERAL (
        SELECT id FROM tickets
        WHERE tickets.event_id = wanted.event_id AND status = 'reserved'
          AND expires_at <= now() AND expires_at > wanted.since AND id <> ALL ($4::bigint[])
        OFFSET 0
      ) AS due
      CROSS JOIN patience
      LIMIT $2
    ), locked AS MATERIALIZED (
      -- The status is looked at later: here it would offer the planner the index of all holds to go through.
      SELECT id, event_id, status FROM tickets
      WHERE id IN (SELECT id FROM due)
      ORDER BY id
      FOR UPDATE ${skip}
    ), unreleased AS MATERIALIZED (
      SELECT id, event_id FROM locked WHERE status = 'reserved'
    ), ${releaseHolds('unreleased')}
    SELECT now() AS "lookedAt", ARRAY(SELECT "lateSeconds" FROM expired) AS "lateSeconds", ARRAY(
      SELECT event_id FROM due
      UNION
      SELECT event_id FROM inventory WHERE event_id = ANY ($1::bigint[]) AND held + sold < capacity
    ) AS "eventIds", ARRAY(SELECT id FROM due WHERE id NOT IN (SELECT id FROM locked)) AS "skippedIds",
      (SELECT count(*) FROM due) < $2 AS "isAll"`,
  };
}

/** The seats come last: they stay locked for a moment only, however many holds end, and reservations hardly wait. */
function releaseHolds(holds: string): string {
  return `expired AS MATERIALIZED (
      UPDATE tickets SET status = 'expired', network = NULL
      FROM ${holds}
      WHERE tickets.id = ${holds}.id
      RETURNING tickets.event_id, extract(epoch FROM clock_timestamp() - tickets.expires_at)::float8 AS "lateSeconds"
    ), ended AS MATERIALIZED (
      SELECT event_id, count(*)::int AS number FROM expired GROUP BY event_id
    ), seats AS MATERIALIZED (
      SELECT event_id FROM inventory
      WHERE event_id IN (SELECT event_id FROM ended CROSS JOIN patience)
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
