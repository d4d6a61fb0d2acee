/**
 * Quotas that gave away more places than they have, or whose counters say something else than the tickets and codes that
 * draw on them. One statement sees one instant, so there is none at any time, whatever is under way.
 */
export const INVENTORY_MISMATCHES = `
  WITH drawn AS (
    SELECT quota_id, orders.status, count(*) AS places
    FROM tickets JOIN orders ON orders.id = tickets.order_id JOIN ticket_types ON ticket_types.id = tickets.ticket_type_id,
      unnest(ticket_types.quota_ids) AS quota_id
    WHERE orders.status IN ('held', 'paid') AND (tickets.fate IS NULL OR tickets.fate = 'blocked') OR tickets.keeps_place
    GROUP BY quota_id, orders.status
    UNION ALL
    SELECT codes.quota_id, orders.status, count(*) FROM orders JOIN codes ON codes.id = orders.code_id
    WHERE orders.status IN ('held', 'paid') GROUP BY 1, 2
  ), counted AS (
    SELECT quota_id, coalesce(sum(places) FILTER (WHERE status = 'held'), 0) AS reserved,
      coalesce(sum(places) FILTER (WHERE status <> 'held'), 0) AS paid
    FROM drawn GROUP BY quota_id
  )
  SELECT quotas.*, coalesce(reserved, 0) AS reserved, coalesce(paid, 0) AS paid
  FROM quotas LEFT JOIN counted ON quota_id = quotas.id
  WHERE held <> coalesce(reserved, 0) OR sold <> coalesce(paid, 0) OR held + sold > capacity`;

/** Removes all events and what belongs to them; again where a statement meanwhile locks the same tables in another order. */
export const REMOVE_EVENTS = `DO $$ BEGIN LOOP BEGIN
    TRUNCATE orders, tickets, payments, refunds, ledger, quotas, codes, ticket_types, events CASCADE;
    EXIT;
  EXCEPTION WHEN deadlock_detected THEN NULL; END; END LOOP; END $$`;
