import type { Statement } from '../database/statements';
import { IS_THEIRS } from '../event-access/event-access.service';

/** SQL: the first live type that draws on a quota of the event `$1` gives its name to one that has none. */
const NAMES = `namesake AS MATERIALIZED (
      SELECT DISTINCT ON (quota_id) quota_id, name FROM ticket_types, unnest(quota_ids) AS quota_id
      WHERE event_id = $1 AND archived_at IS NULL
      ORDER BY quota_id, position, ticket_types.id
    )`;

const SHOWN = `quota.id, quota.event_id AS "eventId", coalesce(nullif(quota.name, ''), namesake.name, '') AS name,
      quota.capacity, quota.held, quota.sold`;

/** Quotas of the event `$1` that types may share; the own quota of a type goes with the type. */
const OF_EVENT = `quotas AS quota LEFT JOIN namesake ON namesake.quota_id = quota.id
    WHERE quota.event_id = $1 AND quota.kind = 'type' AND (quota.name <> '' OR namesake.name IS NOT NULL)`;

export const LIST_QUOTAS: Statement = {
  text: `WITH ${NAMES} SELECT ${SHOWN} FROM ${OF_EVENT} AND quota.id > $2 ORDER BY quota.id LIMIT $3`,
};

export const COUNT_QUOTAS: Statement = {
  name: 'count_quotas',
  text: `WITH ${NAMES} SELECT count(*)::int AS number FROM ${OF_EVENT}`,
};

export const FIND_QUOTA: Statement = {
  name: 'find_quota',
  text: `
    WITH ${NAMES} SELECT ${SHOWN} FROM quotas AS quota LEFT JOIN namesake ON namesake.quota_id = quota.id
    WHERE quota.event_id = $1 AND quota.id = $2 AND quota.kind = 'type'`,
};

/** The event of the organizer that the quota `$1` is of. */
export const FIND_EVENT_OF_QUOTA: Statement = {
  name: 'find_event_of_quota',
  text: `
    SELECT event.id FROM quotas AS quota JOIN events AS event ON event.id = quota.event_id
    WHERE quota.id = $1 AND quota.kind = 'type' AND ${IS_THEIRS}`,
};

/** Locks it: else the event might be deleted, and the quota with it. */
export const LOCK_EVENT_OF_QUOTA: Statement = {
  name: 'lock_event_of_quota',
  text: `${FIND_EVENT_OF_QUOTA.text} FOR NO KEY UPDATE OF event`,
};
