import { buyerThere } from '../database/scope';
import type { Statement } from '../database/statements';
import { claimed, keptOutcomes } from '../idempotency/key-claim';
import { statusAt } from './order-status';

/** What keeps a place from being given back twice. Tests take a guard out, and show what then goes wrong. */
export const VOID_TICKET_GUARDS = {
  isUnmet: `(ticket.fate IS NULL OR ticket.fate = 'blocked' AND payment.is_lost)`,
};

/**
 * Takes the paid ticket `$1` back and gives its place back; its money stays where it is. One that a dispute has blocked is
 * taken back once the dispute is lost. `$2` and `$3` are the organizer who asks for it (null: anyone) and when their token
 * was issued. The last ticket of an order of which there is nothing to refund gives the use of its code back, which no later
 * statement finds with the order any more.
 *
 * Answers one row: the ticket as it is then (`id` is null where there is none), whether this changed it, and whether the
 * caller is the organizer of its event or its buyer.
 */
export const voidTicket = ({ isUnmet } = VOID_TICKET_GUARDS): Statement => ({
  name: 'void_ticket',
  text: textOf({ isUnmet, claims: '', keeps: '' }),
});

export const VOID_TICKET = voidTicket();

/** The same for a request with a key: `$4` to `$7` as `keyValues` makes them. */
export const VOID_TICKET_KEYED: Statement = {
  name: 'void_ticket_keyed',
  text: textOf({
    ...VOID_TICKET_GUARDS,
    claims: `${claimed(4)}, `,
    keeps: keptOutcomes(
      4,
      // A caller who is told 403 may have the right later, and the key with it.
      `SELECT 1 AS n, to_jsonb(answer) AS outcome FROM answer WHERE "isTheirs" IS TRUE OR "isBuyers" IS NOT TRUE`,
    ),
  }),
};

interface Parts {
  isUnmet: string;
  /** Where there is a key: what claims it, and what keeps it. */
  claims: string;
  keeps: string;
}

function textOf({ isUnmet, claims, keeps }: Parts): string {
  return `
    WITH ${claims}asked AS MATERIALIZED (
      SELECT tickets.id, tickets.order_id, $2::bigint IS NULL OR coalesce(events.organizer_id = caller.id, false) AS is_theirs,
        orders.user_id = caller.id AS is_buyers
      FROM (SELECT ${buyerThere('$2::bigint', '$3::bigint')} AS id) AS caller
      ${claims && 'JOIN claimed ON claimed.verdict IS NULL'}
      JOIN tickets ON tickets.id = $1
      JOIN orders ON orders.id = tickets.order_id
      JOIN events ON events.id = orders.event_id
    ), its_order AS MATERIALIZED (
      SELECT id, status, is_paying, expires_at, paid_at, amount_paid, code_id FROM orders
      WHERE id = (SELECT order_id FROM asked WHERE is_theirs) FOR UPDATE
    ), payment AS MATERIALIZED (
      -- Locked like the order: a dispute that is decided meanwhile stands in the row, and not in this snapshot.
      SELECT coalesce(bool_and(dispute = 'lost') FILTER (WHERE dispute <> 'won'), false) AS is_lost
      FROM (SELECT dispute FROM payments WHERE order_id = (SELECT id FROM its_order) FOR UPDATE) AS locked
    ), ticket AS MATERIALIZED (
      -- All of its order, one of which is the last; locked after it, as each fate is decided under that lock.
      SELECT id, fate FROM tickets WHERE order_id = (SELECT id FROM its_order) FOR UPDATE
    ), voided AS (
      UPDATE tickets SET fate = 'void'
      FROM ticket, its_order, payment
      WHERE tickets.id = $1 AND ticket.id = $1 AND its_order.status = 'paid' AND ${isUnmet}
      RETURNING tickets.id, tickets.ticket_type_id
    ), unused AS (
      -- What cost nothing, or was lost to the bank, is never refunded: nothing else would give the use back while the event is on.
      UPDATE orders SET code_id = NULL FROM its_order, payment, voided
      WHERE orders.id = its_order.id AND (its_order.amount_paid = 0 OR payment.is_lost) AND its_order.code_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM ticket WHERE ticket.id <> voided.id AND (ticket.fate IS NULL OR ticket.fate = 'blocked'))
      RETURNING its_order.code_id
    ), drawn AS MATERIALIZED (
      SELECT unnest(quota_ids) AS quota_id FROM ticket_types WHERE id = (SELECT ticket_type_id FROM voided)
      UNION ALL
      SELECT quota_id FROM codes WHERE id = (SELECT code_id FROM unused)
    ), quota AS MATERIALIZED (
      SELECT id FROM quotas WHERE id = ANY (ARRAY(SELECT quota_id FROM drawn)) ORDER BY id FOR UPDATE
    ), moved AS MATERIALIZED (
      SELECT move_places(array_agg(quota_id), array_agg(0), array_agg(-1)) FROM drawn, (SELECT count(*) FROM quota) AS locked
    ), answer AS (
      SELECT voided.id IS NOT NULL AS "isChanged", asked.is_theirs AS "isTheirs", asked.is_buyers AS "isBuyers",
        asked.id, state.order_id AS "orderId", state.user_id AS "userId", state.event_id AS "eventId",
        state.ticket_type_id AS "ticketTypeId", CASE
          WHEN voided.id IS NOT NULL THEN 'void'
          WHEN ticket.fate IS NOT NULL THEN ticket.fate
          ELSE coalesce(nullif(${statusAt('clock_timestamp()')}, 'held'), 'reserved')
        END AS status, state.price, state.attendee_name AS "attendeeName", state.attendee_email AS "attendeeEmail",
        state.created_at AS "createdAt", state.expires_at AS "expiresAt", orders.paid_at AS "paidAt"
      FROM moved LEFT JOIN asked ON true LEFT JOIN ticket_states AS state ON state.id = asked.id
      -- As it is since it was locked. A caller who is not the organizer is told no status.
      LEFT JOIN its_order AS orders ON true
      LEFT JOIN ticket ON ticket.id = asked.id LEFT JOIN voided ON true
    )${keeps && `, ${keeps}`}
    SELECT answer.*${claims && ', verdict, outcome, claimed.answer, claimed.id AS "keyId"'}
    FROM answer ${claims && 'LEFT JOIN claimed ON true'}`;
}
