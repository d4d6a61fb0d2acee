import { buyerThere } from '../database/scope';
import type { Statement } from '../database/statements';

/**
 * Names the attendee of the ticket `$1`: `$4` and, if there is one, the e-mail `$5`. `$2` and `$3` are the buyer who asks for
 * it (null: anyone) and when their token was issued.
 *
 * The code of a paid one is void from then on; before, it has none.
 *
 * Answers whether this changed it, and whether the caller is its buyer or the organizer of its event; no row where there is
 * no such ticket. Its order is locked first, so that its hold does not end meanwhile.
 */
export const HAND_ON_TICKET: Statement = {
  name: 'hand_on_ticket',
  text: `
    WITH asked AS MATERIALIZED (
      SELECT tickets.order_id, $2::bigint IS NULL OR orders.user_id = caller.id AS is_buyers,
        coalesce(events.organizer_id = caller.id, false) AS is_organizers
      FROM (SELECT ${buyerThere('$2::bigint', '$3::bigint')} AS id) AS caller
      JOIN tickets ON tickets.id = $1
      JOIN orders ON orders.id = tickets.order_id
      JOIN events ON events.id = orders.event_id
    ), its_order AS MATERIALIZED (
      SELECT id, status, expires_at FROM orders WHERE id = (SELECT order_id FROM asked WHERE is_buyers) FOR UPDATE
    ), changed AS (
      UPDATE tickets SET attendee_name = $4, attendee_email = $5,
        generation = generation + CASE status WHEN 'paid' THEN 1 ELSE 0 END
      FROM its_order
      WHERE tickets.id = $1 AND tickets.order_id = its_order.id AND fate IS NULL
        AND (status = 'paid' OR status = 'held' AND expires_at > clock_timestamp())
      RETURNING tickets.id
    )
    SELECT is_buyers AS "isBuyers", is_organizers AS "isOrganizers", EXISTS (SELECT FROM changed) AS "isChanged" FROM asked`,
};
