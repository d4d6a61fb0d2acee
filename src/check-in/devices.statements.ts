import { organizerThere } from '../database/scope';
import type { Statement } from '../database/statements';

const SHOWN =
  'devices.id, event_id AS "eventId", name, devices.created_at AS "createdAt", seen_at AS "seenAt"';

/** Adds a device `$2` to the event `$1`, with the hash `$3` of its token, unless it has `$4` already (or some more, made at once). */
export const ADD_DEVICE: Statement = {
  name: 'add_device',
  text: `
    INSERT INTO devices (event_id, name, token_hash)
    SELECT $1, $2, $3
    WHERE (SELECT count(*) FROM (SELECT FROM devices WHERE event_id = $1 AND revoked_at IS NULL LIMIT $4) AS live) < $4
    RETURNING ${SHOWN}`,
};

/** The devices of the event `$1` behind the device `$2` that are not revoked, `$3` at most. */
export const LIST_DEVICES: Statement = {
  text: `
    SELECT ${SHOWN} FROM devices
    WHERE event_id = $1 AND id > $2 AND revoked_at IS NULL
    ORDER BY id
    LIMIT $3`,
};

/** The device `$1` of an event of the organizer `$2` (null: anyone), whose token is of `$3`, unless it is revoked. */
export const FIND_OWN_DEVICE: Statement = {
  name: 'find_own_device',
  text: `
    SELECT ${SHOWN} FROM devices JOIN events ON events.id = event_id
    WHERE devices.id = $1 AND revoked_at IS NULL
      AND ($2::bigint IS NULL OR events.organizer_id = ${organizerThere('$2::bigint', '$3::bigint')})`,
};

/** Revokes the device `$1` of an event of the organizer `$2` (null: anyone), whose token is of `$3`. */
export const REVOKE_DEVICE: Statement = {
  name: 'revoke_device',
  text: `
    UPDATE devices SET revoked_at = now()
    FROM events
    WHERE devices.id = $1 AND revoked_at IS NULL AND events.id = devices.event_id
      AND ($2::bigint IS NULL OR events.organizer_id = ${organizerThere('$2::bigint', '$3::bigint')})
    RETURNING devices.id`,
};

/** The device whose token has the hash `$1`, and whether it is time to note that it was seen. */
export const FIND_DEVICE: Statement = {
  name: 'find_device',
  text: `
    SELECT id AS "deviceId", event_id AS "eventId",
      coalesce(seen_at < now() - interval '30 seconds', true) AS "isNews"
    FROM devices
    WHERE token_hash = $1 AND revoked_at IS NULL`,
};

/** One that is locked is left: it is seen again soon. */
export const NOTE_DEVICE: Statement = {
  name: 'note_device',
  text: `
    UPDATE devices SET seen_at = now()
    WHERE id = (SELECT id FROM devices WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED)`,
};
