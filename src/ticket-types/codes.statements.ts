import type { Statement } from '../database/statements';
import { IS_THEIRS } from '../event-access/event-access.service';

/** SQL: what is shown of `code` and of `quota`, which counts its uses. */
const SHOWN = `code.id, code.event_id AS "eventId", code.code, code.percent_off AS "percentOff",
  code.amount_off AS "amountOff", array_to_json(code.ticket_type_ids) AS "ticketTypeIds", code.max_uses AS "maxUses",
  quota.held, quota.sold, code.valid_from AS "validFrom", code.valid_until AS "validUntil", code.created_at AS "createdAt"`;

const WITH_USES = 'codes AS code JOIN quotas AS quota ON quota.id = code.quota_id';

/** The codes of the event `$1` before `$2`, newest first, `$3` at most. */
export const LIST_CODES: Statement = {
  text: `
    SELECT ${SHOWN} FROM ${WITH_USES}
    WHERE code.event_id = $1 AND code.deleted_at IS NULL AND code.id < $2
    ORDER BY code.id DESC
    LIMIT $3`,
};

export const FIND_CODE: Statement = {
  name: 'find_code',
  text: `SELECT ${SHOWN} FROM ${WITH_USES} WHERE code.id = $1`,
};

/** The code `$1` of the organizer, unless it was deleted. */
export const FIND_OWN_CODE: Statement = {
  name: 'find_own_code',
  text: `
    SELECT ${SHOWN} FROM ${WITH_USES} JOIN events AS event ON event.id = code.event_id
    WHERE code.id = $1 AND code.deleted_at IS NULL AND ${IS_THEIRS}`,
};

export const COUNT_CODES: Statement = {
  name: 'count_codes',
  text: 'SELECT count(*)::int AS number FROM codes WHERE event_id = $1 AND deleted_at IS NULL',
};

/** Whether the event `$1` has another code than `$3` with the normal form `$2`. */
export const FIND_TAKEN_CODE: Statement = {
  name: 'find_taken_code',
  text: `
    SELECT FROM codes
    WHERE event_id = $1 AND code_key = $2 AND deleted_at IS NULL AND id IS DISTINCT FROM $3::bigint`,
};

/** Locks the code and its event. The ids of its types come as numbers. */
export const LOCK_CODE: Statement = {
  name: 'lock_code',
  text: `
    SELECT code.id, code.event_id AS "eventId", code.quota_id AS "quotaId", code.percent_off AS "percentOff",
      code.amount_off AS "amountOff", code.valid_from AS "validFrom", code.valid_until AS "validUntil", code.currency,
      array_to_json(code.ticket_type_ids) AS "ticketTypeIds"
    FROM (
      SELECT code.*, event.currency
      FROM events AS event JOIN codes AS code ON code.event_id = event.id
      WHERE code.id = $1 AND ${IS_THEIRS}
      -- Else the planner may read all codes of the index that has just those that are not deleted.
      OFFSET 0
      FOR NO KEY UPDATE OF event, code
    ) AS code
    WHERE code.deleted_at IS NULL`,
};
