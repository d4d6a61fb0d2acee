/*
 * SQL that fills tables at once with what the API would make one by one.
 */

/**
 * Puts events up for sale, each with one free ticket type.
 *
 * @param select a query for (event_id, capacity, held, sold)
 */
export const sellEvents = (select: string) => `
  WITH counter (event_id, capacity, held, sold) AS (${select}), quota AS (
    INSERT INTO quotas (event_id, kind, capacity, held, sold)
    SELECT event_id, 'event', capacity, held, sold FROM counter ORDER BY event_id
    RETURNING id, event_id
  )
  INSERT INTO ticket_types (event_id, name, quota_ids) SELECT event_id, 'Ticket', ARRAY[id] FROM quota ORDER BY event_id`;

/**
 * Makes orders of one ticket each, of the only type of their event. The counters are left as they are.
 *
 * @param select a query for (user_id, event_id, status, created_at, expires_at, paid_at), the status that of an order
 * @param before another part of the statement, which the query may read
 * @returns SQL that yields the `id` of each ticket
 */
export const makeOrders = (select: string, before?: string) => `
  WITH ${before ? `${before}, ` : ''}wanted (user_id, event_id, status, created_at, expires_at, paid_at) AS (${select}), made AS (
    INSERT INTO orders (user_id, event_id, status, places, created_at, expires_at, paid_at, type_ids, numbers, quota_ids,
      quota_numbers)
    SELECT user_id, wanted.event_id, status, 1, wanted.created_at, expires_at, paid_at, ARRAY[type.id], ARRAY[1], quota_ids,
      ARRAY[1]
    FROM wanted JOIN ticket_types AS type ON type.event_id = wanted.event_id
    RETURNING id, type_ids
  )
  INSERT INTO tickets (order_id, ticket_type_id) SELECT id, type_ids[1] FROM made ORDER BY id RETURNING id`;
