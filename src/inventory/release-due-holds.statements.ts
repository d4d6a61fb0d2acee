import type { Statement } from '../database/statements';
import { waitAtMost } from './lock-timeout';
import { SAME_KEYS } from './order-status';

/** What makes a release give back all that a hold took, and not too soon. Tests take a guard out, and show what then goes wrong. */
export const RELEASE_GUARDS = {
  places: 'unnest(quota_ids, quota_numbers)',
  /** While money may be on its way, the provider is asked first; no longer than a minute, all in all. */
  isUnpaid: `(NOT is_paying OR expires_at <= now() - interval '55 seconds')`,
};

/**
 * Ends the holds of at most `$1` orders that fell due after `$2` and gives their places back: of any event but those in
 * `$3`, whose counters are locked by somebody. Orders another process works on are left to it. `$4`: how many
 * milliseconds to wait for a lock.
 *
 * Answers one row: when it looked, how late each hold was ended, since when the last of them was due, and since when the
 * first of those it left is.
 */
export const releaseDueHolds = ({ places, isUnpaid } = RELEASE_GUARDS): Statement => ({
  // Without a name: it runs from the first second on, and would keep the plan it got while there was no order yet.
  text: `
    WITH ${waitAtMost('$4')}, due AS MATERIALIZED (
      SELECT id, expires_at AS due_at FROM orders
      WHERE status = 'held' AND expires_at <= now() AND expires_at > $2::timestamptz
        AND event_id <> ALL ($3::bigint[]) AND ${isUnpaid}
      ORDER BY expires_at
      LIMIT $1
      FOR UPDATE SKIP LOCKED
    ), ${releaseHolds('due', places)}
    SELECT now() AS "lookedAt", ARRAY(SELECT "lateSeconds" FROM expired) AS "lateSeconds",
      (SELECT max(due_at) FROM due) AS "lastDueAt", (
        SELECT expires_at FROM orders
        WHERE status = 'held' AND expires_at <= now() AND expires_at > $2::timestamptz
          AND id NOT IN (SELECT id FROM due)
        ORDER BY expires_at
        LIMIT 1
      ) AS "leftSince"
    FROM done`,
});

export const RELEASE_DUE_HOLDS = releaseDueHolds();

/**
 * The same for the events in `$1`, whose places somebody wants now, at most `$2` holds, of each event those that fell due
 * after the time in `$3`; but not the orders in `$4`, which are locked by somebody. Waits for orders that another process
 * works on, at most `$5` milliseconds for each lock.
 *
 * Answers one row: when it looked, how late each hold was ended, the events that are worth another try (those that had
 * due holds, released here or meanwhile elsewhere, and those whose places somebody else gave back before), the orders
 * that were due and skipped, whether there were fewer than `$2`, and since when the first of those it left is due, such as
 * one whose payment is open.
 */
export const RELEASE_DUE_HOLDS_OF_EVENTS = releaseOfEvents('');

/** The same without waiting for an order. */
export const RELEASE_UNLOCKED_HOLDS_OF_EVENTS = releaseOfEvents('SKIP LOCKED');

/** SQL: the orders that are due of the events that are wanted, as a join of `wanted` and `due`. */
function dueWhere(condition: string): string {
  return `unnest($1::bigint[], $3::timestamptz[]) AS wanted (event_id, since)
      CROSS JOIN LATERAL (
        SELECT id, expires_at FROM orders
        WHERE orders.event_id + 0 = wanted.event_id AND status = 'held'
          AND expires_at <= now() AND expires_at > wanted.since AND ${condition}
        OFFSET 0
      ) AS due`;
}

function releaseOfEvents(skip: '' | 'SKIP LOCKED'): Statement {
  return {
    name: `release_due_holds_of_events${skip && '_skip_locked'}`,
    text: `
    WITH ${waitAtMost('$5')}, due AS MATERIALIZED (
      SELECT due.id, wanted.event_id
      FROM ${dueWhere(`id <> ALL ($4::bigint[]) AND ${RELEASE_GUARDS.isUnpaid}`)}
      CROSS JOIN patience
      LIMIT $2
    ), locked AS MATERIALIZED (
      -- The status is looked at later: here it would offer the planner the index of all holds to go through.
      SELECT id, status, is_paying, expires_at FROM orders
      WHERE id IN (SELECT id FROM due)
      ORDER BY id
      FOR UPDATE ${skip}
    ), unreleased AS MATERIALIZED (
      -- It may have been extended, or its payment begun, while this waited for its lock.
      SELECT id FROM locked WHERE status = 'held' AND expires_at <= now() AND ${RELEASE_GUARDS.isUnpaid}
    ), ${releaseHolds('unreleased', RELEASE_GUARDS.places)}
    SELECT now() AS "lookedAt", ARRAY(SELECT "lateSeconds" FROM expired) AS "lateSeconds", ARRAY(
      SELECT event_id FROM due
      UNION
      SELECT event_id FROM quotas WHERE event_id = ANY ($1::bigint[]) AND kind = 'event' AND held + sold < capacity
    ) AS "eventIds", ARRAY(SELECT id FROM due WHERE id NOT IN (SELECT id FROM locked)) AS "skippedIds",
      (SELECT count(*) FROM due) < $2 AS "isAll", (
        SELECT min(due.expires_at) FROM ${dueWhere('id NOT IN (SELECT id FROM unreleased)')}
      ) AS "leftSince"
    FROM done`,
  };
}

/** The quotas come last: they stay locked for a moment only, however many holds end, and reservations hardly wait. */
function releaseHolds(holds: string, places: string): string {
  return `expired AS MATERIALIZED (
      UPDATE orders SET status = 'expired', network = NULL, ${SAME_KEYS}
      FROM ${holds}
      WHERE orders.id = ${holds}.id
      RETURNING quota_ids, quota_numbers, extract(epoch FROM clock_timestamp() - expires_at)::float8 AS "lateSeconds"
    ), ended AS MATERIALIZED (
      SELECT quota_id, sum(number * orders)::int AS number
      FROM (
        SELECT quota_ids, quota_numbers, count(*) AS orders FROM expired GROUP BY quota_ids, quota_numbers
      ) AS alike, ${places} AS place (quota_id, number)
      GROUP BY quota_id
    ), quota AS MATERIALIZED (
      SELECT id FROM quotas
      WHERE id = ANY (ARRAY(SELECT quota_id FROM ended CROSS JOIN patience))
      ORDER BY id
      FOR UPDATE
    ), returned AS MATERIALIZED (
      SELECT move_places(array_agg(quota_id), array_agg(number), array_agg(0)) FROM ended, (SELECT count(*) FROM quota) AS locked
      -- Most looks find nothing, and are to cost nothing.
      HAVING count(*) > 0
    ), done AS MATERIALIZED (
      SELECT count(*) FROM returned
    )`;
}
