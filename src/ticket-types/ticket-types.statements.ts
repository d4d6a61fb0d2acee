import type { Statement } from '../database/statements';
import { IS_THEIRS } from '../event-access/event-access.service';

/** When a type can be bought, as far as its event, its window and its places go. */
export const TICKET_TYPE_STATES = ['on_sale', 'not_yet', 'over', 'sold_out'] as const;
export type TicketTypeState = (typeof TICKET_TYPE_STATES)[number];

/** SQL: what is shown of `type`, of `event`, and of `stock`, which is {@link STOCK}. */
const SHOWN = `type.id, type.event_id AS "eventId", type.name, type.description, type.price, event.currency,
  type.quota_ids[2] AS "quotaId", stock.capacity, stock.available,
  CASE
    WHEN event.status = 'cancelled' OR event.end_time <= now() OR type.sales_until <= now() THEN 'over'
    WHEN event.status = 'draft' OR type.sales_from > now() THEN 'not_yet'
    WHEN stock.available < type.min_per_order THEN 'sold_out'
    ELSE 'on_sale'
  END AS state,
  type.sales_from AS "salesFrom", type.sales_until AS "salesUntil", type.min_per_order AS "minPerOrder",
  type.max_per_order AS "maxPerOrder", type.is_hidden AS "isHidden", type.position, type.created_at AS "createdAt"`;

/** SQL: the fewest places that any quota of `type` has left, and the capacity of the one that is not the event's. */
const STOCK = `LATERAL (
    SELECT coalesce(greatest(min(CASE WHEN is_closed THEN 0 ELSE capacity - held - sold END), 0), 0) AS available,
      max(capacity) FILTER (WHERE id = type.quota_ids[2]) AS capacity
    FROM quotas WHERE id = ANY (type.quota_ids)
  ) AS stock`;

/**
 * The types of the event `$1` from behind (`$4`, `$5`) on, `$6` at most; hidden ones for its organizer alone. A row
 * without an id where there are none, and no row at all where the caller does not see the event.
 */
export const LIST_TICKET_TYPES: Statement = {
  text: `
    SELECT ${IS_THEIRS} AS "isTheirs", shown.*
    FROM events AS event LEFT JOIN LATERAL (
      SELECT ${SHOWN} FROM ticket_types AS type CROSS JOIN ${STOCK}
      WHERE type.event_id = event.id AND type.archived_at IS NULL AND (type.position, type.id) > ($4::int, $5::bigint)
        AND (NOT type.is_hidden OR ${IS_THEIRS})
      ORDER BY type.position, type.id
      LIMIT $6
    ) AS shown ON true
    WHERE event.id = $1 AND (event.status <> 'draft' OR ${IS_THEIRS})
    ORDER BY shown.position, shown.id`,
};

export const FIND_TICKET_TYPE: Statement = {
  name: 'find_ticket_type',
  text: `
    SELECT ${SHOWN} FROM ticket_types AS type JOIN events AS event ON event.id = type.event_id CROSS JOIN ${STOCK}
    WHERE type.id = $1`,
};

/** The type `$1`, if the caller sees it. */
export const FIND_SEEN_TICKET_TYPE: Statement = {
  name: 'find_seen_ticket_type',
  text: `${FIND_TICKET_TYPE.text}
      AND type.archived_at IS NULL AND (NOT type.is_hidden AND event.status <> 'draft' OR ${IS_THEIRS})`,
};

/** Locks the type and its event. An own quota has no name. */
export const LOCK_TICKET_TYPE: Statement = {
  name: 'lock_ticket_type',
  text: `
    SELECT type.id, type.event_id AS "eventId", type.price, event.currency, type.quota_ids[1] AS "eventQuotaId",
      type.quota_ids[2] AS "quotaId", (SELECT name = '' FROM quotas WHERE id = type.quota_ids[2]) AS "isQuotaOwn",
      type.sales_from AS "salesFrom", type.sales_until AS "salesUntil", type.min_per_order AS "minPerOrder",
      type.max_per_order AS "maxPerOrder"
    FROM events AS event JOIN ticket_types AS type ON type.event_id = event.id
    WHERE type.id = $1 AND type.archived_at IS NULL AND ${IS_THEIRS}
    FOR NO KEY UPDATE OF event, type`,
};

/** Whether the caller sees a type that is not theirs. */
export const SEES_TICKET_TYPE: Statement = {
  name: 'sees_ticket_type',
  text: `
    SELECT FROM ticket_types AS type JOIN events AS event ON event.id = type.event_id
    WHERE type.id = $1 AND type.archived_at IS NULL AND NOT type.is_hidden AND event.status <> 'draft'`,
};

/** How many types the event `$1` has, and how many together with those that were deleted. */
export const COUNT_TICKET_TYPES: Statement = {
  name: 'count_ticket_types',
  text: `
    SELECT count(*) FILTER (WHERE archived_at IS NULL)::int AS live, count(*)::int AS "all"
    FROM ticket_types WHERE event_id = $1`,
};

/** Where in `$2` stands the first id that is none of a type of the event `$1`, and not in `$3`, counted from 0. */
export const FIND_FOREIGN_TICKET_TYPE: Statement = {
  name: 'find_foreign_ticket_type',
  text: `
    SELECT (min(n) - 1)::int AS at FROM unnest($2::bigint[]) WITH ORDINALITY AS named (id, n)
    WHERE named.id <> ALL ($3::bigint[]) AND NOT EXISTS (
      SELECT FROM ticket_types AS type WHERE type.id = named.id AND type.event_id = $1 AND type.archived_at IS NULL
    )`,
};
