import { buyerThere, orderInScope } from '../database/scope';
import type { Statement } from '../database/statements';
import { STATUS_NOW } from '../inventory/order-status';

/** What an `OrderView` has, of a row of orders. */
const ORDER = `orders.id, orders.user_id AS "userId", orders.event_id AS "eventId", ${STATUS_NOW} AS status,
      orders.created_at AS "createdAt", orders.expires_at AS "expiresAt", orders.paid_at AS "paidAt",
      greatest(0, ceil(extract(epoch FROM orders.expires_at - now()) * 1000))::int8 AS "expiresInMs",
      orders.total, orders.discount, orders.amount_paid AS "amountPaid", orders.amount_refunded AS "amountRefunded",
      orders.currency, array_to_json(orders.type_ids) AS "typeIds", array_to_json(orders.numbers) AS numbers,
      array_to_json(orders.unit_prices) AS "unitPrices",
      orders.contact_name AS "contactName", orders.contact_email AS "contactEmail", orders.metadata,
      (
        SELECT json_agg((SELECT name FROM ticket_types WHERE id = item.type_id) ORDER BY at)
        FROM unnest(orders.type_ids) WITH ORDINALITY AS item (type_id, at)
      ) AS "typeNames",
      (
        SELECT coalesce(json_agg(json_build_object(
          'id', ticket.id, 'ticketTypeId', ticket_type_id, 'price', price, 'generation', generation, 'fate', fate,
          'attendeeName', attendee_name, 'attendeeEmail', attendee_email
        ) ORDER BY ticket.id), '[]')
        FROM (SELECT * FROM tickets WHERE order_id = orders.id OFFSET 0) AS ticket
      ) AS tickets`;

const inScope = orderInScope('caller.id', '$4::bool', 'orders');
const CALLER = `(SELECT ${buyerThere('$2::bigint', '$3::bigint')} AS id) AS caller`;

/** The order `$1`, if it is in the scope of `$2` to `$4`. */
export const FIND_ORDER: Statement = {
  name: 'find_order',
  text: `SELECT ${ORDER} FROM orders, ${CALLER} WHERE orders.id = $1 AND ${inScope}`,
};

/** What `$2`, whose token is of `$3`, is to the order `$1`; no row where there is none. */
export const FIND_PARTIES: Statement = {
  name: 'find_parties_of_order',
  text: `
    SELECT orders.user_id = caller.id AS "isBuyer", coalesce(events.organizer_id = caller.id, false) AS "isOrganizer"
    FROM ${CALLER}, orders JOIN events ON events.id = orders.event_id
    WHERE orders.id = $1`,
};

/** About as many bytes as a page has at most: its last order may exceed it. */
const PAGE_BYTES = 512 * 1_024;

/** Those of the rows of `found` that fit a page, newest first, each with how many there were. */
const fittingPage = (found: string) => `
    WITH found AS MATERIALIZED (${found}), weighed AS MATERIALIZED (
      -- An order has up to 100 tickets and 20 references: how long a row is, is known without reading it.
      SELECT *, sum(600 + 650 * places + coalesce(pg_column_size(metadata), 0)) OVER (
        ORDER BY id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ) AS bytes_before
      FROM found
    )
    SELECT ${ORDER}, (SELECT count(*) FROM found)::int AS found
    FROM weighed AS orders
    WHERE bytes_before IS NULL OR bytes_before < ${PAGE_BYTES}
    ORDER BY orders.id DESC`;

/**
 * SQL: the orders of an owner behind another order, newest first. The pair of columns names the index: by the id alone the
 * planner may rather walk through the orders of all, since it does not know that those of this owner are old.
 */
const behind = (column: 'user_id' | 'event_id', owner: string, before: string) =>
  `(orders.${column}, orders.id) < (${owner}, ${before}) AND (orders.${column}, orders.id) >= (${owner}, 0)
      ORDER BY orders.${column} DESC, orders.id DESC`;

/** The orders of the user `$1`, whose token is of `$2`, behind the order `$3`, at most `$4`. */
export const LIST_BY_USER: Statement = {
  text: fittingPage(`
      SELECT * FROM orders
      WHERE ${behind('user_id', `(SELECT ${buyerThere('$1::bigint', '$2::bigint')})`, '$3::bigint')} LIMIT $4
    `),
};

/** The orders `$1`. */
export const LIST_BY_IDS: Statement = {
  text: fittingPage('SELECT * FROM orders WHERE id = ANY ($1::bigint[])'),
};

/**
 * The `$3` orders of the event `$1` behind the order `$2`, newest first: what a search goes by. Whatever it is for, it looks
 * at no more of them.
 */
export const SEARCHED_ORDERS: Statement = {
  text: `
    SELECT orders.id, ${STATUS_NOW} AS status, contact_name AS "contactName", contact_email AS "contactEmail",
      (SELECT email FROM users WHERE id = orders.user_id) AS "buyerEmail"
    FROM orders
    WHERE ${behind('event_id', '$1::bigint', '$2::bigint')} LIMIT $3`,
};

/** The same for a list of every order: with what a table shows of each. */
export const EXPORTED_ORDERS: Statement = {
  text: `
    SELECT orders.id, ${STATUS_NOW} AS status, orders.user_id AS "userId", contact_name AS "contactName",
      contact_email AS "contactEmail", (SELECT email FROM users WHERE id = orders.user_id) AS "buyerEmail",
      places, total, discount, amount_paid AS "amountPaid", amount_refunded AS "amountRefunded", currency,
      created_at AS "createdAt", expires_at AS "expiresAt", paid_at AS "paidAt"
    FROM orders
    WHERE ${behind('event_id', '$1::bigint', '$2::bigint')} LIMIT $3`,
};
