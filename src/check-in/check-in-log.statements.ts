import type { Statement } from '../database/statements';

const listed = (earlier: string, condition: string): Statement => ({
  text: `
    SELECT check_in.id, check_in.result, check_in.kind, check_in.nonce, check_in.scanned_at AS "scannedAt",
      check_in.received_at AS "receivedAt", check_in.ticket_id AS "ticketId",
      (SELECT name FROM ticket_types WHERE id = ticket.ticket_type_id) AS "typeName", ticket.attendee_name AS "attendeeName",
      device.id AS "deviceId", device.name AS "deviceName", check_in.user_id AS "userId",
      earlier.scanned_at AS "earlierScannedAt", earlier_device.id AS "earlierDeviceId", earlier_device.name AS "earlierDeviceName"
    FROM check_ins AS check_in
    LEFT JOIN tickets AS ticket ON ticket.id = check_in.ticket_id
    LEFT JOIN devices AS device ON device.id = check_in.device_id
    ${earlier}
    LEFT JOIN devices AS earlier_device ON earlier_device.id = earlier.device_id
    -- The pair names the index: the planner might rather walk through the check-ins of all events.
    WHERE (check_in.event_id, check_in.id) < ($1, $2) AND check_in.event_id >= $1 ${condition}
    ORDER BY check_in.event_id DESC, check_in.id DESC
    LIMIT $3`,
});

/** SQL: the neighbour of `check_in` in the history of its ticket on one side. */
const neighbour = (isBeyond: '<' | '>', direction: 'DESC' | 'ASC') => `(
        SELECT * FROM check_ins AS other
        WHERE other.ticket_id = check_in.ticket_id AND other.passed_at IS NOT NULL
          AND (other.passed_at, other.id) ${isBeyond} (check_in.passed_at, check_in.id)
        ORDER BY other.passed_at ${direction}, other.id ${direction} LIMIT 1
      )`;

/** The check-ins of the event `$1` before the check-in `$2`, newest first, `$3` at most. */
export const LIST_CHECK_INS = listed(
  'LEFT JOIN check_ins AS earlier ON earlier.id = check_in.earlier_id',
  '',
);

/**
 * Those of them that contradict another one, still: an exit that stands between the two may have come after both. The index
 * has them by their results, so that none need be changed then.
 */
export const LIST_CONFLICTS = listed(
  `JOIN LATERAL (
      SELECT * FROM (${neighbour('<', 'DESC')} UNION ALL ${neighbour('>', 'ASC')}) AS beside
      WHERE kind = 'entry' AND (device_id, user_id) IS DISTINCT FROM (check_in.device_id, check_in.user_id)
      LIMIT 1
    ) AS earlier ON true`,
  `AND check_in.result = 'conflict'`,
);
