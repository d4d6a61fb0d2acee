import type { Statement } from '../database/statements';

/**
 * What there is to know for scans, in their order: `$1` events, `$2` devices or `$3` accounts that scanned, `$4` nonces, `$5`
 * tickets (null: what was scanned is none).
 *
 * Answers a row a scan, with an id for it; where it was sent before, what it came to then, with the ticket and the earlier
 * check-in of then. Each look-up stands by itself (`OFFSET 0`): the planner has nothing to get wrong on tables that grow.
 */
export const FIND_SCANNED: Statement = {
  name: 'find_scanned',
  text: `
    SELECT nextval('check_ins_id_seq') AS id, date_trunc('milliseconds', clock_timestamp()) AS now,
      r.device_id IS NULL OR device.id IS NOT NULL AS "isKnown", device.name AS "deviceName", repeated.result AS "keptResult",
      ticket.id AS "ticketId", ticket.event_id AS "eventId", ticket.event_status AS "eventStatus", ticket.status,
      ticket.fate, ticket.generation, ticket.type_name AS "typeName", ticket.attendee_name AS "attendeeName",
      last.id AS "lastId", last.passage, last.scanned_at AS "lastScannedAt", last.device_id AS "lastDeviceId",
      (SELECT name FROM devices WHERE devices.id = last.device_id) AS "lastDeviceName", last.user_id AS "lastUserId"
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::varchar[], $5::bigint[]) WITH ORDINALITY
      AS r (event_id, device_id, user_id, nonce, ticket_id, n)
    LEFT JOIN LATERAL (
      SELECT id, name FROM devices WHERE id = r.device_id AND event_id = r.event_id AND revoked_at IS NULL OFFSET 0
    ) AS device ON true
    LEFT JOIN LATERAL (
      SELECT id, result, ticket_id, earlier_id FROM check_ins WHERE device_id = r.device_id AND nonce = r.nonce
      UNION ALL
      SELECT id, result, ticket_id, earlier_id FROM check_ins
      WHERE r.device_id IS NULL AND device_id IS NULL AND user_id = r.user_id AND event_id = r.event_id AND nonce = r.nonce
      OFFSET 0
    ) AS repeated ON true
    LEFT JOIN LATERAL (
      SELECT tickets.id, fate, generation, attendee_name, orders.event_id, orders.status,
        (SELECT status FROM events WHERE events.id = orders.event_id) AS event_status,
        (SELECT name FROM ticket_types WHERE ticket_types.id = ticket_type_id) AS type_name
      FROM tickets JOIN orders ON orders.id = tickets.order_id
      WHERE tickets.id = CASE WHEN repeated.id IS NULL THEN r.ticket_id ELSE repeated.ticket_id END
      OFFSET 0
    ) AS ticket ON true
    LEFT JOIN LATERAL (
      (
        SELECT id, passage, scanned_at, device_id, user_id FROM check_ins
        WHERE repeated.id IS NULL AND ticket_id = r.ticket_id AND passage IS NOT NULL
        ORDER BY passage DESC
        LIMIT 1
      )
      UNION ALL
      SELECT id, passage, scanned_at, device_id, user_id FROM check_ins WHERE id = repeated.earlier_id
      OFFSET 0
    ) AS last ON true
    ORDER BY n`,
};

/**
 * Keeps what scans came to: a value of each column, for each scan, in the sequence of their tickets and passages, so that
 * statements that wait for each other don't do so in a circle. The unique indexes fail it where another one was quicker with
 * a passage of one of the tickets, or with a nonce.
 */
export const ADD_CHECK_INS: Statement = {
  name: 'add_check_ins',
  text: `
    INSERT INTO check_ins
      (id, event_id, device_id, user_id, nonce, ticket_id, kind, result, passage, scanned_at, received_at, earlier_id)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::varchar[], $6::bigint[], $7::varchar[],
      $8::varchar[], $9::int[], $10::timestamptz[], $11::timestamptz[], $12::bigint[])`,
};
