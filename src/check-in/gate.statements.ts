import type { Statement } from '../database/statements';

/**
 * The event `$1` as its gate needs it, for the device `$2` (null: somebody else who may), and from which transaction on there
 * may be some that no snapshot has seen yet.
 */
export const FIND_GATE: Statement = {
  name: 'find_gate',
  text: `
    SELECT id, title, status, start_time AS "startTime", end_time AS "endTime", timezone,
      $2::bigint IS NULL OR EXISTS (
        SELECT FROM devices WHERE devices.id = $2 AND event_id = events.id AND revoked_at IS NULL
      ) AS "isKnown",
      pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS "openFrom",
      pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS "nextIs"
    FROM events WHERE id = $1`,
};

/**
 * The tickets of the event `$1` that are not what they were when they were sold, in the order of their changes, from behind
 * the change `$2` of the ticket `$3`, `$4` at most.
 */
export const LIST_GATE_CHANGES: Statement = {
  text: `
    SELECT change.ticket_id AS "ticketId", change.changed_in AS "changedIn", fate IS NULL AS "isGood", generation
    FROM gate_changes AS change JOIN tickets ON tickets.id = change.ticket_id
    WHERE change.event_id = $1 AND (change.changed_in, change.ticket_id) > ($2, $3)
    ORDER BY change.changed_in, change.ticket_id
    LIMIT $4`,
};

/** Orders that a page of attendees looks at, paid or not. */
export const CANDIDATES = 1_000;

const attendeesOf = (columns: string, isShown: string) => `
    WITH candidate AS MATERIALIZED (
      SELECT id, status, contact_name, contact_email, user_id FROM orders
      -- The pair names the index: the planner might rather walk through the orders of all events.
      WHERE (event_id, id) >= ($1, $2) AND event_id <= $1
      ORDER BY event_id, id
      LIMIT ${CANDIDATES}
    ), last AS (
      SELECT max(id) AS id FROM candidate HAVING count(*) = ${CANDIDATES}
    )
    SELECT candidate.id AS "orderId", ticket.id AS "ticketId", ${columns}, (SELECT id FROM last) AS "lastOrderId"
    FROM candidate
    LEFT JOIN LATERAL (
      SELECT * FROM tickets
      WHERE order_id = candidate.id AND candidate.status = 'paid' AND ${isShown} AND (candidate.id > $2 OR tickets.id > $3)
      ORDER BY id OFFSET 0
    ) AS ticket ON true
    WHERE ticket.id IS NOT NULL OR candidate.id = (SELECT id FROM last)
    ORDER BY candidate.id, ticket.id
    LIMIT $4`;

const TYPE_NAME = `(SELECT name FROM ticket_types WHERE id = ticket.ticket_type_id) AS "typeName"`;

/**
 * The attendees of the event `$1` and their tickets, from behind the ticket `$3` of the order `$2`, `$4` at most. A page looks
 * at so many orders and no more: `lastOrderId` is the last of them where there may be others, also in a row without a ticket.
 */
export const LIST_GATE_ATTENDEES: Statement = {
  text: attendeesOf(
    `${TYPE_NAME}, coalesce(ticket.attendee_name, contact_name, (SELECT name FROM users WHERE id = user_id)) AS name`,
    'fate IS NULL',
  ),
};

/** The same for the organizer, who also sees how to reach them, and whether they have come. */
export const LIST_ATTENDEES: Statement = {
  text: attendeesOf(
    `${TYPE_NAME}, ticket.ticket_type_id AS "typeId", coalesce(ticket.fate, 'paid') AS status,
      ticket.attendee_name AS "attendeeName", ticket.attendee_email AS "attendeeEmail",
      coalesce(contact_name, (SELECT name FROM users WHERE id = user_id)) AS "buyerName",
      coalesce(contact_email, (SELECT email FROM users WHERE id = user_id)) AS "buyerEmail",
      (
        SELECT scanned_at FROM check_ins WHERE ticket_id = ticket.id AND passed_at IS NOT NULL AND kind = 'entry'
        ORDER BY passed_at, check_ins.id LIMIT 1
      ) AS "checkedInAt",
      coalesce((
        SELECT passage % 2 = 0 FROM check_ins WHERE ticket_id = ticket.id AND passage IS NOT NULL
        ORDER BY passage DESC LIMIT 1
      ), false) AS "isInside"`,
    `coalesce(fate, 'blocked') = 'blocked'`,
  ),
};
