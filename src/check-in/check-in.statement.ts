import type { Statement } from '../database/statements';

/**
 * Works off scans, in their order: `$1` events, `$2` devices or `$3` accounts that scanned, `$4` nonces, `$5` tickets (null:
 * what was scanned is none), `$6` the generation of the code (null: any), `$7` `entry` or `exit`, `$8` when it was scanned
 * (null: now), `$9` whether it comes late, from a device that had no network.
 *
 * Answers a row a scan: what it came to, where it was sent before what it came to then, or that its device is not good any
 * more. It takes no lock: of statements that let a ticket in at once, the unique index of passages fails all but one, which
 * then are run again and see what the one has done.
 */
export const CHECK_IN: Statement = {
  name: 'check_in',
  text: `
    WITH request AS MATERIALIZED (
      SELECT r.*, repeated.id AS repeated_id, r.device_id IS NULL OR device.id IS NOT NULL AS is_known
      FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::varchar[], $5::bigint[], $6::int[], $7::varchar[],
        $8::timestamptz[], $9::bool[]) WITH ORDINALITY
        AS r (event_id, device_id, user_id, nonce, ticket_id, generation, kind, scanned_at, is_late, n)
      LEFT JOIN LATERAL (
        SELECT id FROM devices WHERE id = r.device_id AND event_id = r.event_id AND revoked_at IS NULL OFFSET 0
      ) AS device ON true
      LEFT JOIN LATERAL (
        SELECT id FROM check_ins WHERE device_id = r.device_id AND nonce = r.nonce
        UNION ALL
        SELECT id FROM check_ins
        WHERE r.device_id IS NULL AND device_id IS NULL AND user_id = r.user_id AND event_id = r.event_id AND nonce = r.nonce
        OFFSET 0
      ) AS repeated ON true
    ), clock AS MATERIALIZED (
      SELECT date_trunc('milliseconds', clock_timestamp()) AS at
    ), scan AS MATERIALIZED (
      SELECT n, request.event_id, device_id, user_id, nonce, kind, is_late, least(scanned_at, clock.at) AS scanned_at, clock.at,
        CASE WHEN ticket.event_id = request.event_id THEN ticket.id END AS ticket_id,
        CASE
          WHEN ticket.id IS NULL THEN 'not_valid'
          WHEN ticket.event_id <> request.event_id THEN 'wrong_event'
          WHEN event.status = 'cancelled' THEN 'void'
          WHEN ticket.status = 'refunded' OR ticket.fate IN ('refunded', 'void') OR request.generation <> ticket.generation THEN 'void'
          WHEN ticket.fate = 'blocked' THEN 'blocked'
          WHEN ticket.status <> 'paid' THEN 'not_paid'
        END AS standing
      FROM request CROSS JOIN clock
      LEFT JOIN LATERAL (
        SELECT tickets.id, tickets.fate, tickets.generation AS generation, orders.event_id, orders.status
        FROM tickets JOIN orders ON orders.id = tickets.order_id WHERE tickets.id = request.ticket_id OFFSET 0
      ) AS ticket ON true
      LEFT JOIN LATERAL (SELECT status FROM events WHERE id = request.event_id OFFSET 0) AS event ON true
      WHERE repeated_id IS NULL AND is_known
    ), moving AS (
      -- An exit of a ticket that is in is one, whatever became of the ticket meanwhile.
      SELECT scan.*, last.id AS last_id, last.passage AS last_passage, last.device_id AS last_device_id,
        last.user_id AS last_user_id,
        coalesce(lag(kind) OVER of_ticket = 'entry', last.passage % 2 = 0, false) AS was_in
      FROM scan
      LEFT JOIN LATERAL (
        SELECT id, passage, device_id, user_id FROM check_ins
        WHERE ticket_id = scan.ticket_id AND passage IS NOT NULL
        ORDER BY passage DESC LIMIT 1
      ) AS last ON true
      WHERE standing IS NULL OR kind = 'exit' AND ticket_id IS NOT NULL
      WINDOW of_ticket AS (PARTITION BY ticket_id ORDER BY n)
    ), counted AS (
      SELECT moving.*, (kind = 'entry') <> was_in AS is_passage,
        count(*) FILTER (WHERE (kind = 'entry') <> was_in) OVER up_to_it AS passages,
        max(n) FILTER (WHERE (kind = 'entry') <> was_in) OVER before_it AS earlier_n
      FROM moving
      WINDOW up_to_it AS (PARTITION BY ticket_id ORDER BY n),
        before_it AS (PARTITION BY ticket_id ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), numbered AS MATERIALIZED (
      SELECT scan.*, nextval('check_ins_id_seq') AS id, counted.n IS NOT NULL AS is_moving, is_passage, passages, earlier_n,
        last_id, last_passage, last_device_id, last_user_id
      FROM scan LEFT JOIN counted USING (n)
      ORDER BY n
    ), fresh AS MATERIALIZED (
      SELECT own.*,
        CASE WHEN own.is_passage THEN coalesce(own.last_passage, -1) + own.passages END AS passage,
        CASE WHEN own.is_moving AND NOT own.is_passage THEN coalesce(earlier.id, own.last_id) END AS earlier_id,
        CASE
          WHEN NOT own.is_moving THEN own.standing
          WHEN own.kind = 'exit' THEN CASE WHEN own.is_passage THEN 'left' ELSE coalesce(own.standing, 'left') END
          WHEN own.is_passage THEN 'admitted'
          WHEN own.is_late AND (own.device_id, own.user_id) IS DISTINCT FROM (
            CASE WHEN earlier.id IS NULL THEN own.last_device_id ELSE earlier.device_id END,
            CASE WHEN earlier.id IS NULL THEN own.last_user_id ELSE earlier.user_id END
          ) THEN 'conflict'
          ELSE 'already_in'
        END AS result,
        earlier.scanned_at AS earlier_scanned_at, earlier.device_id AS earlier_device_id, earlier.id IS NOT NULL AS is_earlier_new
      FROM numbered AS own LEFT JOIN numbered AS earlier ON earlier.n = own.earlier_n
    ), inserted AS (
      -- In one order, so that statements that wait for each other don't do so in a circle.
      INSERT INTO check_ins
        (id, event_id, device_id, user_id, nonce, ticket_id, kind, result, passage, scanned_at, received_at, earlier_id)
      SELECT id, event_id, device_id, user_id, nonce, ticket_id, kind, result, passage, coalesce(scanned_at, at), at, earlier_id
      FROM fresh
      ORDER BY ticket_id, passage, n
    )
    SELECT is_known AS "isKnown", request.repeated_id IS NOT NULL AS "isRepeated",
      coalesce(kept.result, fresh.result) AS result, ticket.id AS "ticketId", ticket.type_name AS "typeName",
      ticket.attendee_name AS "attendeeName",
      coalesce(CASE WHEN fresh.is_earlier_new THEN fresh.earlier_scanned_at END, earlier.scanned_at) AS "earlierScannedAt",
      device.id AS "earlierDeviceId", device.name AS "earlierDeviceName"
    FROM request
    LEFT JOIN fresh ON fresh.n = request.n
    LEFT JOIN LATERAL (
      SELECT result, ticket_id, earlier_id FROM check_ins WHERE id = request.repeated_id OFFSET 0
    ) AS kept ON true
    LEFT JOIN LATERAL (
      SELECT id, attendee_name, (SELECT name FROM ticket_types WHERE id = ticket_type_id) AS type_name
      FROM tickets WHERE id = coalesce(kept.ticket_id, fresh.ticket_id) OFFSET 0
    ) AS ticket ON true
    LEFT JOIN LATERAL (
      SELECT scanned_at, device_id FROM check_ins WHERE id = coalesce(kept.earlier_id, fresh.earlier_id) OFFSET 0
    ) AS earlier ON true
    LEFT JOIN LATERAL (
      SELECT id, name FROM devices WHERE id = CASE WHEN fresh.is_earlier_new THEN fresh.earlier_device_id ELSE earlier.device_id END OFFSET 0
    ) AS device ON true
    ORDER BY request.n`,
};
