import { buyerThere } from '../database/scope';
import type { Statement } from '../database/statements';
import { claimed, keptOutcomes } from '../idempotency/key-claim';
import { waitAtMost } from './lock-timeout';

/** What keeps a hold from being resolved twice, or too late. Tests take a guard out, and show what then goes wrong. */
export const RESOLVE_HOLDS_GUARDS = {
  /** Keeps each ticket as it was read until the transaction ends. */
  lock: 'FOR UPDATE',
  isHeld: `status = 'reserved'`,
  isLive: 'expires_at > clock.at',
};

/**
 * Ends live holds as their holders ask: `$1` ticket ids, `$2` what each becomes, `paid` or `cancelled`, `$3` whose it
 * must be (null = any buyer's); a ticket out of scope is as good as none. Of several requests for one ticket the first
 * wins. `$4` are events whose counters are locked by somebody: their holds are left as they are, and the answer says so.
 * `$5` is how many milliseconds to wait for a lock, `$6` when the token of each buyer was issued: one whose account is
 * younger is nobody's. Answers a row per request: the ticket as it is then
 * (null where there is none; a hold that is due counts as expired), and whether this request changed it.
 */
export const resolveHolds = ({ lock, isHeld, isLive } = RESOLVE_HOLDS_GUARDS): Statement => ({
  name: 'resolve_holds',
  text: textOf({ lock, isHeld, isLive, claims: '', keeps: '' }),
});

export const RESOLVE_HOLDS = resolveHolds();

/** The same where some of the requests have keys: `$7` to `$10` as `keyValues` makes them. */
export const RESOLVE_KEYED_HOLDS: Statement = {
  name: 'resolve_keyed_holds',
  text: textOf({
    ...RESOLVE_HOLDS_GUARDS,
    claims: `${claimed(7)}, `,
    keeps: keptOutcomes(
      7,
      `SELECT n, to_jsonb(answer) - 'n' AS outcome FROM answer WHERE "stuckEventId" IS NULL`,
    ),
  }),
};

interface Parts {
  lock: string;
  isHeld: string;
  isLive: string;
  /** Where there are keys: what claims them, and what keeps them. */
  claims: string;
  keeps: string;
}

function textOf({ lock, isHeld, isLive, claims, keeps }: Parts): string {
  return `
    WITH ${claims}${waitAtMost('$5')}, request AS MATERIALIZED (
      SELECT ticket_id, target, ${buyerThere('r.buyer_id', 'r.issued_at')} AS buyer_id, r.n
      FROM unnest($1::bigint[], $2::varchar[], $3::bigint[], $6::bigint[])
        WITH ORDINALITY AS r (ticket_id, target, buyer_id, issued_at, n)
      CROSS JOIN patience
      ${claims && 'LEFT JOIN claimed ON claimed.n = r.n WHERE claimed.verdict IS NULL'}
    ), ticket AS MATERIALIZED (
      SELECT id, user_id, event_id, status, created_at, expires_at, paid_at
      FROM tickets
      WHERE id IN (SELECT ticket_id FROM request)
      ORDER BY id
      ${lock}
    ), clock AS MATERIALIZED (
      -- Read once, after every ticket is locked; cut to the millisecond it still lies before expires_at.
      SELECT date_trunc('milliseconds', clock_timestamp()) AS at FROM (SELECT count(*) FROM ticket) AS locked
    ), live AS MATERIALIZED (
      SELECT DISTINCT ON (id) n, id, event_id, target, clock.at
      FROM ticket JOIN request ON ticket_id = id AND user_id = coalesce(buyer_id, user_id), clock
      WHERE ${isHeld} AND ${isLive} AND event_id <> ALL ($4::bigint[])
      ORDER BY id, n
    ), seats AS MATERIALIZED (
      SELECT event_id FROM inventory
      WHERE event_id IN (SELECT event_id FROM live)
      ORDER BY event_id
      FOR UPDATE
    ), seats_locked AS MATERIALIZED (
      SELECT count(*) FROM seats
    ), moved AS (
      UPDATE inventory SET held = greatest(held - resolved.number, 0), sold = sold + resolved.paid
      FROM (
        SELECT event_id, count(*)::int AS number, (count(*) FILTER (WHERE target = 'paid'))::int AS paid
        FROM live, seats_locked GROUP BY event_id
      ) AS resolved
      WHERE inventory.event_id = resolved.event_id
    ), changed AS (
      UPDATE tickets SET status = live.target, network = NULL, paid_at = CASE WHEN live.target = 'paid' THEN live.at END
      FROM live
      WHERE tickets.id = live.id
      RETURNING tickets.*, live.n
    ), answer AS (
      SELECT request.n, coalesce(changed.n = request.n, false) AS "isChanged",
        CASE WHEN ticket.status = 'reserved' AND ticket.event_id = ANY ($4::bigint[]) THEN ticket.event_id END
          AS "stuckEventId",
        ticket.id, ticket.user_id AS "userId", ticket.event_id AS "eventId",
        CASE
          WHEN changed.id IS NOT NULL THEN changed.status
          WHEN ticket.status = 'reserved' AND ticket.expires_at <= clock.at THEN 'expired'
          ELSE ticket.status
        END AS status,
        ticket.created_at AS "createdAt", ticket.expires_at AS "expiresAt",
        coalesce(changed.paid_at, ticket.paid_at) AS "paidAt"
      FROM request
      LEFT JOIN ticket ON ticket.id = ticket_id AND ticket.user_id = coalesce(buyer_id, ticket.user_id)
      LEFT JOIN changed ON changed.id = ticket.id
      CROSS JOIN clock
    )${keeps && `, ${keeps}`}
    ${
      claims
        ? `SELECT answer.*, verdict, outcome, claimed.answer, claimed.id AS "keyId"
    FROM generate_series(1, cardinality($1::bigint[])) AS every (n)
    LEFT JOIN answer ON answer.n = every.n
    LEFT JOIN claimed ON claimed.n = every.n
    ORDER BY every.n`
        : 'SELECT * FROM answer ORDER BY n'
    }`;
}
