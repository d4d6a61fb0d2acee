import { organizerThere } from '../database/scope';
import type { Statement } from '../database/statements';
import { addMessages } from '../jobs/outbox.service';
import { claimed, keptOutcomes } from '../idempotency/key-claim';
import { OWED_REFUND } from './payment-states';

/** To which the outbox hands what is left to do of a cancellation. */
export const CANCELLATION_TOPIC = 'event.cancelled';

/** The longest that nothing may happen in a cancellation that runs. */
const STUCK_AFTER = `interval '10 minutes'`;

/** How a cancellation stands, of a row of event_cancellations beside `REFUNDS_OF_CANCELLATION`. */
export const CANCELLATION = `
        CASE
          WHEN cancellation.done_at IS NULL AND cancellation.progressed_at < now() - ${STUCK_AFTER} THEN 'stuck'
          WHEN pending > 0 AND greatest(cancellation.progressed_at, closed_at) < now() - ${STUCK_AFTER} THEN 'stuck'
          WHEN cancellation.done_at IS NOT NULL AND pending = 0 THEN CASE failed WHEN 0 THEN 'done' ELSE 'stuck' END
          ELSE 'running'
        END AS status,
        cancellation.done_at IS NOT NULL AS "isGoneThrough",
        coalesce(cancellation.amount_owed, 0) AS "amountOwed",
        pending + failed + succeeded AS "refundsTotal", succeeded AS "refundsDone", failed AS "refundsFailed",
        failure_code AS "failureCode"`;

/**
 * SQL: the refunds that the cancellation of an event began, and those of before that are not done: their orders have nothing left
 * for it to give back. Done, too, are those whose money a bank has given the buyer.
 */
export const refundsOfCancellation = (eventId: string) => `(
        SELECT count(*) FILTER (WHERE refunds.status = 'pending')::int AS pending, count(*) FILTER (WHERE ${OWED_REFUND})::int AS failed,
          count(*) FILTER (WHERE cause = 'event_cancelled' AND refunds.status <> 'pending' AND NOT (${OWED_REFUND}))::int AS succeeded,
          max(refunds.closed_at) AS closed_at,
          mode() WITHIN GROUP (ORDER BY refunds.failure_code) FILTER (WHERE ${OWED_REFUND}) AS failure_code
        FROM refunds JOIN payments ON payments.id = payment_id
        WHERE refunds.event_id = ${eventId} AND (cause = 'event_cancelled' OR refunds.status <> 'succeeded')
      )`;

/**
 * Cancels the event `$1`, unless it is a draft, which nobody may see: from the commit on no order for it is placed. `$2` and `$3` are the organizer who asks for it
 * (null: anyone) and when their token was issued. A message of the outbox sees to its orders.
 *
 * Answers one row: how the cancellation stands, whether the caller sees the event, whether it is theirs, and
 * whether it is a draft.
 */
export const CLOSE_EVENT: Statement = { text: textOf('', '') };

/** The same for a request with a key: `$4` to `$7` as `keyValues` makes them. */
export const CLOSE_EVENT_KEYED: Statement = {
  text: textOf(
    `${claimed(4)}, `,
    // A caller who is told 403 may have the right later, and the key with it.
    keptOutcomes(
      4,
      `SELECT 1 AS n, to_jsonb(answer) AS outcome FROM answer WHERE "isTheirs" OR NOT "isSeen"`,
    ),
  ),
};

/** @param claims where there is a key: what claims it; `keeps`: what keeps it */
function textOf(claims: string, keeps: string): string {
  return `
    WITH ${claims}event AS MATERIALIZED (
      SELECT events.id, $2::bigint IS NULL OR coalesce(organizer_id = caller.id, false) AS is_theirs, status <> 'draft' AS is_public
      FROM (SELECT ${organizerThere('$2::bigint', '$3::bigint')} AS id) AS caller
      ${claims && 'JOIN claimed ON claimed.verdict IS NULL'}
      JOIN events ON events.id = $1
      -- As it is then: it may be deleted while this waits, and must not be after this has begun.
      FOR NO KEY UPDATE OF events
    ), cancelled AS (
      UPDATE events SET status = 'cancelled', version = version + 1
      WHERE id = (SELECT id FROM event WHERE is_theirs AND is_public) AND status <> 'cancelled'
    ), begun AS (
      INSERT INTO event_cancellations (event_id, progressed_at) SELECT id, now() FROM event WHERE is_theirs AND is_public
      ON CONFLICT DO NOTHING
      RETURNING event_id
    ), message AS (
      ${addMessages(CANCELLATION_TOPIC, `jsonb_build_object('eventId', event_id)`, 'begun')}
    ), quota AS MATERIALIZED (
      SELECT id FROM quotas WHERE event_id = (SELECT event_id FROM begun) ORDER BY id FOR UPDATE
    ), closed AS (
      UPDATE quotas SET is_closed = true WHERE id = ANY (ARRAY(SELECT id FROM quota))
    ), answer AS (
      SELECT coalesce(is_theirs OR is_public, false) AS "isSeen", coalesce(is_theirs, false) AS "isTheirs",
        NOT is_public AS "isDraft", ${CANCELLATION}
      FROM (VALUES (1)) AS one LEFT JOIN event ON true LEFT JOIN event_cancellations AS cancellation ON event_id = event.id
      LEFT JOIN LATERAL ${refundsOfCancellation('event.id')} AS refund ON true
    )${keeps && `, ${keeps}`}
    SELECT answer.*${claims && ', verdict, outcome, claimed.answer, claimed.id AS "keyId"'}
    FROM answer ${claims && 'LEFT JOIN claimed ON true'}`;
}
