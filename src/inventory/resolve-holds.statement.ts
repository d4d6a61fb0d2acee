import { buyerThere, orderInScope } from '../database/scope';
import type { Statement } from '../database/statements';
import { claimed, keptOutcomes } from '../idempotency/key-claim';
import { waitAtMost } from './lock-timeout';
import { SAME_KEYS } from './order-status';

/** What keeps a hold from being resolved twice, or too late. Tests take a guard out, and show what then goes wrong. */
export const RESOLVE_HOLDS_GUARDS = {
  /** Keeps each order as it was read until the transaction ends. */
  lock: 'FOR UPDATE',
  isHeld: `status = 'held'`,
  isLive: 'expires_at > clock.at',
  /** Money may be on its way. */
  isUnpaid: 'NOT is_paying',
};

/**
 * Ends live holds as their holders ask: `$1` order ids, or null and `$2` the id of the order's only ticket, `$3` what each
 * becomes, `paid` or `cancelled`, `$4` whose it must be (null = any buyer's); an order out of scope is as good as none.
 * `$5` when the token of each buyer was issued: one whose account is younger is nobody's. `$6` by what it is paid: null for
 * an order that costs nothing, `none` for one of which a payment is to be kept all the same, `offline`; `$7` the reference
 * of that payment. Of several requests for one order the first wins. `$8` are events whose counters are locked by somebody:
 * their holds are left as they are, and the answer says so. An order that is being paid is left
 * as it is, too. `$9` is how many milliseconds to wait for a lock, `$10` whether
 * `$4` may also be the organizer of the order's event.
 *
 * Answers a row per request: the order as it is then (null where there is none; a hold that is due counts as expired), and
 * whether this request changed it.
 */
export const resolveHolds = (guards = RESOLVE_HOLDS_GUARDS): Statement => ({
  name: 'resolve_holds',
  text: textOf({ ...guards, claims: '', keeps: '' }),
});

export const RESOLVE_HOLDS = resolveHolds();

/** The same where some of the requests have keys: `$11` to `$14` as `keyValues` makes them. */
export const RESOLVE_KEYED_HOLDS: Statement = {
  name: 'resolve_keyed_holds',
  text: textOf({
    ...RESOLVE_HOLDS_GUARDS,
    claims: `${claimed(11)}, `,
    keeps: keptOutcomes(
      11,
      // An order that is still held has not been decided: a payment may be closed first, or begun.
      `SELECT n, to_jsonb(answer) - 'n' - 'isAnswered' AS outcome FROM answer
      WHERE "stuckEventId" IS NULL AND NOT "isAnswered" AND status IS DISTINCT FROM 'held'`,
    ),
  }),
};

interface Parts {
  lock: string;
  isHeld: string;
  isLive: string;
  isUnpaid: string;
  /** Where there are keys: what claims them, and what keeps them. */
  claims: string;
  keeps: string;
}

function textOf({ lock, isHeld, isLive, isUnpaid, claims, keeps }: Parts): string {
  return `
    WITH ${claims}${waitAtMost('$9')}, request AS MATERIALIZED (
      -- Not left out, for the planner would then expect hardly any, and compare each with each.
      SELECT CASE WHEN ${claims ? 'claimed.verdict IS NULL' : 'true'} THEN coalesce(r.order_id, ticket.order_id) END AS order_id,
        ${claims ? 'claimed.verdict IS NOT NULL' : 'false'} AS is_answered, r.ticket_id,
        CASE WHEN ticket.attendee_name IS NOT NULL
          THEN json_build_object('name', ticket.attendee_name, 'email', ticket.attendee_email) END AS attendee, ticket.fate,
        target, tender, reference, ${buyerThere('r.buyer_id', 'r.issued_at')} AS buyer_id, is_party, r.n
      FROM unnest($1::bigint[], $2::bigint[], $3::varchar[], $4::bigint[], $5::bigint[], $6::varchar[], $7::varchar[],
        $10::bool[]) WITH ORDINALITY AS r (order_id, ticket_id, target, buyer_id, issued_at, tender, reference, is_party, n)
      CROSS JOIN patience
      LEFT JOIN LATERAL (
        SELECT order_id, attendee_name, attendee_email, fate FROM tickets WHERE id = r.ticket_id OFFSET 0
      ) AS ticket ON true
      ${claims && 'LEFT JOIN claimed ON claimed.n = r.n'}
    ), held_order AS MATERIALIZED (
      SELECT id, user_id, event_id, status, is_paying, places, total, discount, amount_paid, currency, created_at, expires_at,
        paid_at, type_ids, quota_ids, quota_numbers
      FROM orders
      WHERE id = ANY (ARRAY(SELECT order_id FROM request))
      ORDER BY id
      ${lock}
    ), clock AS MATERIALIZED (
      -- Read once, after every order is locked; cut to the millisecond it still lies before expires_at.
      SELECT date_trunc('milliseconds', clock_timestamp()) AS at FROM (SELECT count(*) FROM held_order) AS locked
    ), live AS MATERIALIZED (
      SELECT DISTINCT ON (id) n, id, event_id, target, tender, reference, total, currency, quota_ids, quota_numbers, clock.at
      FROM held_order JOIN request ON order_id = id AND ${orderInScope('buyer_id', 'is_party', 'held_order')}, clock
      WHERE ${isHeld} AND ${isLive} AND ${isUnpaid} AND event_id <> ALL ($8::bigint[])
        AND (ticket_id IS NULL OR places = 1) AND (target <> 'paid' OR total = 0 OR tender = 'offline')
      ORDER BY id, n
    ), move AS MATERIALIZED (
      SELECT quota_id, sum(number)::int AS fewer_held, coalesce(sum(number) FILTER (WHERE target = 'paid'), 0)::int AS more_sold
      FROM live, unnest(quota_ids, quota_numbers) AS place (quota_id, number)
      GROUP BY quota_id
    ), quota AS MATERIALIZED (
      SELECT id FROM quotas WHERE id = ANY (ARRAY(SELECT quota_id FROM move)) ORDER BY id FOR UPDATE
    ), moved AS MATERIALIZED (
      -- A function counts from the rows as they are locked, not from the snapshot.
      SELECT move_places(array_agg(quota_id), array_agg(fewer_held), array_agg(more_sold))
      FROM move, (SELECT count(*) FROM quota) AS locked
      HAVING count(*) > 0
    ), changed AS (
      UPDATE orders SET ${SAME_KEYS}, status = live.target, network = NULL,
        paid_at = CASE WHEN live.target = 'paid' THEN live.at END,
        amount_paid = orders.amount_paid + CASE WHEN live.target = 'paid' THEN live.total ELSE 0 END
      FROM live, moved
      WHERE orders.id = live.id
      RETURNING orders.id, orders.status, orders.paid_at, orders.amount_paid, live.n
    ), payment AS (
      INSERT INTO payments (order_id, event_id, provider, status, amount, taken, currency, reference, created_at, closed_at)
      SELECT id, event_id, tender, 'succeeded', total, total, currency, reference, at, at
      FROM live WHERE target = 'paid' AND tender IS NOT NULL ORDER BY n
      RETURNING id, order_id, amount, currency, created_at
    ), charge AS (
      INSERT INTO ledger (order_id, payment_id, kind, amount, currency, created_at)
      SELECT order_id, id, 'charge', amount, currency, created_at FROM payment WHERE amount > 0
    ), answer AS (
      SELECT request.n, request.is_answered AS "isAnswered", coalesce(changed.n = request.n, false) AS "isChanged",
        CASE WHEN held_order.status = 'held' AND held_order.event_id = ANY ($8::bigint[]) THEN held_order.event_id END
          AS "stuckEventId",
        coalesce(held_order.is_paying, false) AS "isPaying", held_order.id, request.ticket_id AS "ticketId", held_order.user_id AS "userId", held_order.event_id AS "eventId",
        CASE
          WHEN changed.id IS NOT NULL THEN changed.status
          WHEN held_order.status = 'held' AND held_order.expires_at <= clock.at AND NOT held_order.is_paying THEN 'expired'
          ELSE held_order.status
        END AS status,
        held_order.created_at AS "createdAt", held_order.expires_at AS "expiresAt",
        coalesce(changed.paid_at, held_order.paid_at) AS "paidAt", held_order.places, held_order.total, held_order.currency,
        CASE WHEN changed.n = request.n THEN payment.id END AS "paymentId",
        held_order.type_ids[1] AS "typeId", request.attendee, request.fate
      FROM request
      LEFT JOIN held_order ON held_order.id = order_id AND ${orderInScope('buyer_id', 'is_party', 'held_order')}
      LEFT JOIN changed ON changed.id = held_order.id
      LEFT JOIN payment ON payment.order_id = changed.id
      CROSS JOIN clock
    )${keeps && `, ${keeps}`}
    SELECT answer.*${claims && ', verdict, outcome, claimed.answer, claimed.id AS "keyId"'}
    FROM answer ${claims && 'LEFT JOIN claimed ON claimed.n = answer.n'}
    ORDER BY answer.n`;
}
