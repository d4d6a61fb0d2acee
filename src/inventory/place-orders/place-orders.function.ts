import { decide } from './decide';
import { COUNT_LIMITS } from './limits';
import { LOOK_UP } from './look-up';
import { PRICE_ORDERS } from './price-orders';
import { lookForShortages, SHORTAGE } from './shortage';
import { VARIABLES } from './variables';
import { WRITE } from './write';

/**
 * What keeps two batches from giving the same place away twice. Tests take a guard out, and show that places are then
 * sold twice.
 */
export const PLACE_ORDERS_GUARDS = {
  /** Keeps the counters as they were read until the transaction ends. */
  lock: 'FOR UPDATE',
  read: 'CASE WHEN is_closed THEN 0 ELSE capacity - held - sold END AS free',
  /** An event's was read before its types and codes, which may change at any moment after. */
  version: "CASE WHEN quota.kind = 'event' THEN event_versions[need.n] ELSE quota.version END",
  /** Notices quotas that are no longer what they were before the function waited for their lock. */
  isOutdated: 'pool_versions[pool] IS DISTINCT FROM need_versions[k]',
};

/**
 * SQL that makes the function `place_orders`. A migration runs it, so another migration goes with every change.
 *
 * A function of several statements, where one statement could do: each of them sees what was committed while an earlier
 * one waited for a lock; they are planned once for a connection, also behind a pooler; and small batches cost little. A
 * table that was small when they were planned may have grown: they never read one from end to end.
 */
export const placeOrdersFunction = (guards: Partial<typeof PLACE_ORDERS_GUARDS> = {}): string => {
  const { lock, read, version, isOutdated } = { ...PLACE_ORDERS_GUARDS, ...guards };
  return `
CREATE OR REPLACE FUNCTION place_orders(
  user_ids bigint[], event_ids bigint[], issued_at bigint[], codes text[], contact_names text[], contact_emails text[],
  metadata text[], item_ns integer[], item_ats integer[], item_befores integer[], asked_type_ids bigint[],
  item_numbers integer[], item_attendees text[], hold_seconds integer, user_limit integer, cool_down_seconds integer,
  patience_ms integer, looked_since float8[], networks bigint[], network_limit integer, verdicts text[]
) RETURNS TABLE (
  n integer, refusal text, "itemAt" integer, "least" integer, most integer, "retryAfter" integer, id bigint, "userId" bigint,
  "eventId" bigint, status text, "createdAt" timestamptz, "expiresAt" timestamptz, "paidAt" timestamptz, places integer,
  subtotal bigint, total bigint, currency char(3), "typeIds" json, "typeNames" json, numbers json, "unitPrices" json,
  "ticketIds" json, prices json, "noneDueAt" float8
) LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
${VARIABLES}
BEGIN
  PERFORM set_config('lock_timeout', patience_ms::text, true);
${LOOK_UP}
${PRICE_ORDERS}
${lookForShortages(version)}
  IF true = ANY (is_open) THEN
    SELECT array_agg(quota.id), array_agg(quota.shortage), array_agg(quota.version), array_agg(quota.free), array_agg(0)
    INTO pool_ids, pool_shortages, pool_versions, pool_free, pool_taken
    FROM (
      SELECT quotas.id, ${SHORTAGE} AS shortage, quotas.version, ${read}
      FROM quotas
      WHERE quotas.id = ANY (ARRAY(
        SELECT DISTINCT need.quota_id FROM unnest(need_ns, need_quota_ids) AS need (n, quota_id) WHERE is_open[need.n]
      ))
      ORDER BY quotas.id
      ${lock}
    ) AS quota;
    -- From here on each statement sees what was committed before the quotas were locked.
${COUNT_LIMITS}
${decide(isOutdated)}
  END IF;
${WRITE}
END
$$`;
};
