/**
 * Events that gave away more seats than they have, or whose counters say something else than their tickets. One
 * statement sees one instant, so there is none at any time, whatever is under way.
 */
export const INVENTORY_MISMATCHES = `
  SELECT inventory.*, coalesce(reserved, 0) AS reserved, coalesce(paid, 0) AS paid
  FROM inventory LEFT JOIN (
    SELECT event_id, count(*) FILTER (WHERE status = 'reserved') AS reserved,
      count(*) FILTER (WHERE status = 'paid') AS paid
    FROM tickets GROUP BY event_id
  ) AS tickets USING (event_id)
  WHERE held <> coalesce(reserved, 0) OR sold <> coalesce(paid, 0) OR held + sold > capacity`;

/** Removes all events and what belongs to them; takes locks in the order of the statements that end holds meanwhile. */
export const REMOVE_EVENTS = 'TRUNCATE tickets, inventory, events CASCADE';
