import { buyerThere, orderInScope } from '../database/scope';
import type { Statement } from '../database/statements';
import { STATUS_NOW } from '../inventory/order-status';

/** What the documents of a ticket show. */
const SHOWN = `tickets.id, orders.id AS "orderId", orders.event_id AS "eventId", tickets.ticket_type_id AS "ticketTypeId",
      tickets.generation, orders.created_at AS "createdAt", orders.paid_at IS NOT NULL AS "wasPaid",
      coalesce(tickets.fate, nullif(${STATUS_NOW}, 'held'), 'reserved') AS status,
      (SELECT name FROM ticket_types WHERE ticket_types.id = tickets.ticket_type_id) AS type,
      tickets.attendee_name AS attendee, events.title, events.description, events.venue_address AS place,
      events.venue_latitude AS latitude, events.venue_longitude AS longitude, events.start_time AS "startTime",
      events.end_time AS "endTime", events.timezone, events.version, events.status AS "eventStatus"`;

const inScope = orderInScope('caller.id', '$4::bool', 'orders');
const CALLER = `(SELECT ${buyerThere('$2::bigint', '$3::bigint')} AS id) AS caller`;

/** The ticket `$1`, if its order is in the scope of `$2` to `$4`. */
export const SHOWN_TICKET: Statement = {
  name: 'show_ticket',
  text: `
    SELECT ${SHOWN}
    FROM ${CALLER}, tickets
    JOIN orders ON orders.id = tickets.order_id
    JOIN events ON events.id = orders.event_id
    WHERE tickets.id = $1 AND ${inScope}`,
};

/** The tickets of the order `$1`, if it is in the scope of `$2` to `$4`. */
export const SHOWN_ORDER: Statement = {
  name: 'show_tickets_of_order',
  text: `
    SELECT ${SHOWN}
    FROM ${CALLER}, orders
    JOIN tickets ON tickets.order_id = orders.id
    JOIN events ON events.id = orders.event_id
    WHERE orders.id = $1 AND ${inScope}
    ORDER BY tickets.id`,
};
