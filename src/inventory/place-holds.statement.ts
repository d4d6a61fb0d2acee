import { wasThere } from '../database/scope';
import type { Statement } from '../database/statements';
import { claimed, keptOutcomes, VERDICTS } from '../idempotency/key-claim';
import { waitAtMost } from './lock-timeout';
import { asked, NEVER_KEPT, REFUSED_FOR_NOW } from './asked-places.statement';

/**
 * What keeps two batches from giving the same place away twice. Tests take a guard out, and show that places are then
 * sold twice.
 */
export const PLACE_HOLDS_GUARDS = {
  /** Keeps the counters as they were read until the transaction ends. */
  lock: 'FOR UPDATE',
  read: 'CASE WHEN is_closed THEN 0 ELSE capacity - held - sold END AS free',
  /** Leaves out what draws on quotas as they were before the statement waited for their lock. */
  current: 'AND pool.version = need.version',
};

/**
 * Places orders in their sequence, each with all of its places or none. Of the orders: `$1` user ids, `$2` event ids, `$3`
 * when the token of each user was issued (null = the age of the account is no matter), `$4` codes in their normal form or
 * null, `$5` and `$6` names and e-mails of contacts, `$7` metadata as JSON. Of their items: `$8` which order each belongs
 * to, counted from 1, `$9` which item of it each is, counted from 0, and `$10` how many tickets come before it, `$11` ticket
 * type ids (null = the event's only visible type), `$12` numbers of tickets, `$13` attendees as JSON or null.
 *
 * `$14` hold in seconds, `$15` places one user may hold of one event (0 = any number), `$16` for how many seconds holds
 * that ended unpaid count: of those the user may have three times as many (0 = any number), `$17` how many milliseconds to
 * wait for a lock, `$18` since when the holds of each event have not been looked at for due ones, in milliseconds since 1970
 * (null = never), `$19` the network of each order as a number (null = it is not counted), `$20` places that all users of one
 * network may hold of one event (0 = any number).
 *
 * Answers a row per order: the order, or why there is none, and the item that is to blame. Where an order's places are not
 * free, that is said without a lock: it is true of the instant at which the statement began. `noneDueAt` is that instant, in
 * milliseconds since 1970, if no hold of the event was due then, so that none gives its places back. It is null where that
 * is still to be seen.
 */
export const placeHolds = (guards: Partial<typeof PLACE_HOLDS_GUARDS> = {}): Statement => ({
  name: 'place_holds',
  text: textOf({ ...PLACE_HOLDS_GUARDS, ...guards, claims: '', verdict: '', keeps: '' }),
});

export const PLACE_HOLDS = placeHolds();

/**
 * The same where some of the requests have keys: `$21` to `$24` as `keyValues` makes them, `$25` whether "sold out" is the
 * last word, and is kept. A refusal for which now is not the time never is.
 */
export const placeKeyedHolds = (guards: Partial<typeof PLACE_HOLDS_GUARDS> = {}): Statement => ({
  name: 'place_keyed_holds',
  text: textOf({
    ...PLACE_HOLDS_GUARDS,
    ...guards,
    claims: `${claimed(21)}, `,
    verdict: 'WHEN claimed.verdict IS NOT NULL THEN claimed.verdict',
    keeps: keptOutcomes(
      21,
      `SELECT n, to_jsonb(answer) - 'n' - 'noneDueAt' AS outcome FROM answer
      WHERE refusal IS NULL OR refusal NOT IN (${VERDICTS}, ${NEVER_KEPT})
        AND (refusal NOT IN (${REFUSED_FOR_NOW}) OR $25::bool OR "noneDueAt" IS NOT NULL)`,
    ),
  }),
});

export const PLACE_KEYED_HOLDS = placeKeyedHolds();

interface Parts {
  lock: string;
  read: string;
  current: string;
  /** Where there are keys: what claims them, what a claim says, and what keeps them. */
  claims: string;
  verdict: string;
  keeps: string;
}

function textOf({ lock, read, current, claims, verdict, keeps }: Parts): string {
  return `
    WITH ${claims}${waitAtMost('$17')}, ${asked({ claims, verdict, wasThere: wasThere('users.created_at', 'r.issued_at') })}, quota AS MATERIALIZED (
      SELECT id, kind, is_closed, version, ${read}
      FROM quotas
      WHERE id = ANY (ARRAY(SELECT DISTINCT quota_id FROM need WHERE NOT is_short))
      ORDER BY id
      ${lock}
    ), candidate AS MATERIALIZED (
      SELECT n, user_id, event_id, network, places, max_per_user
      FROM request
      WHERE refusal IS NULL AND EXISTS (SELECT FROM quota)
    ), holder AS MATERIALIZED (
      -- Called with what the locked quotas yield, hence after they are locked.
      SELECT *
      FROM count_held_places(
        ARRAY(SELECT user_id FROM candidate), ARRAY(SELECT event_id FROM candidate),
        CASE WHEN $16::int > 0 THEN 3 * $15::int END, $16::int
      )
      WHERE $15::int > 0 AND EXISTS (SELECT FROM candidate)
    ), buyer AS MATERIALIZED (
      SELECT *
      FROM count_bought_places(
        ARRAY(SELECT user_id FROM candidate WHERE max_per_user IS NOT NULL ORDER BY n),
        ARRAY(SELECT event_id FROM candidate WHERE max_per_user IS NOT NULL ORDER BY n)
      )
      WHERE EXISTS (SELECT FROM candidate WHERE max_per_user IS NOT NULL)
    ), crowd AS MATERIALIZED (
      SELECT *
      FROM count_network_places(ARRAY(SELECT event_id FROM candidate), ARRAY(SELECT network FROM candidate))
      WHERE $20::int > 0 AND EXISTS (SELECT FROM candidate WHERE network IS NOT NULL)
    ), pool AS MATERIALIZED (
      -- What is short is named by the first pool that is: the event before its types, these before codes and limits.
      SELECT row_number() OVER (ORDER BY CASE kind WHEN 'event' THEN 1 WHEN 'type' THEN 2 ELSE 3 END, id)::int AS place,
        CASE
          WHEN is_closed THEN 'event_not_published'
          WHEN kind = 'event' THEN 'event_sold_out'
          WHEN kind = 'type' THEN 'ticket_type_sold_out'
          ELSE 'code_used_up'
        END AS refusal, id AS quota_id, NULL::bigint AS user_id, NULL::bigint AS event_id, NULL::bigint AS network, free,
        NULL::timestamptz AS cools_at, version
      FROM quota
      UNION ALL
      SELECT ((SELECT count(*) FROM quota) + row_number() OVER ())::int, *
      FROM (
        SELECT 'ticket_limit_reached', NULL::bigint, user_id, event_id, NULL::bigint, (
          SELECT max_per_user FROM candidate
          WHERE candidate.user_id = buyer.user_id AND candidate.event_id = buyer.event_id LIMIT 1
        ) - buyer.places, NULL::timestamptz, NULL::integer
        FROM buyer
        UNION ALL
        SELECT CASE WHEN cools_at IS NOT NULL AND live < $15::int THEN 'hold_cool_down' ELSE 'hold_limit_reached' END, NULL,
          user_id, event_id, NULL, CASE WHEN cools_at IS NULL THEN $15::int - live ELSE 0 END, cools_at, NULL
        FROM holder
        UNION ALL
        SELECT 'network_hold_limit_reached', NULL, NULL, event_id, network, $20::int - live, NULL, NULL FROM crowd
      ) AS of_people
    ), drawn AS MATERIALIZED (
      SELECT need.n, pool.place, need.number
      FROM need LEFT JOIN pool ON pool.quota_id = need.quota_id ${current}
      WHERE NOT is_short
      UNION ALL
      SELECT candidate.n, pool.place, candidate.places
      FROM pool JOIN candidate ON candidate.user_id = pool.user_id AND candidate.event_id = pool.event_id
      UNION ALL
      SELECT candidate.n, pool.place, candidate.places
      FROM pool JOIN candidate ON candidate.network = pool.network AND candidate.event_id = pool.event_id
    ), verdicts AS MATERIALIZED (
      -- Where there is enough for all, they are granted as a set; only else one after the other.
      SELECT CASE
        WHEN (
          SELECT bool_and(coalesce(total <= free, false))
          FROM (SELECT place, sum(number) AS total FROM drawn GROUP BY place) AS wanted LEFT JOIN pool USING (place)
        )
        THEN ARRAY(
          SELECT x FROM (SELECT DISTINCT n FROM drawn) AS winner, LATERAL (VALUES (1, n), (2, 0)) AS pair (k, x) ORDER BY n, k
        )
        ELSE grant_orders(
          ARRAY(SELECT n FROM drawn ORDER BY n, place), ARRAY(SELECT place FROM drawn ORDER BY n, place),
          ARRAY(SELECT number FROM drawn ORDER BY n, place), ARRAY(SELECT free FROM pool ORDER BY place)
        )
      END AS flat
    ), verdict AS MATERIALIZED (
      SELECT flat[2 * i - 1] AS n, flat[2 * i] AS short
      FROM verdicts, generate_series(1, coalesce(cardinality(flat), 0) / 2) AS i
    ), clock AS MATERIALIZED (
      SELECT clock_timestamp()::timestamptz(3) AS created_at FROM (SELECT count(*) FROM quota) AS locked
    ), granted AS MATERIALIZED (
      SELECT n, nextval('orders_id_seq') AS id
      FROM (SELECT n FROM verdict WHERE short = 0 ORDER BY n) AS winner
    ), given AS MATERIALIZED (
      SELECT n, array_agg(quota_id ORDER BY quota_id) AS quota_ids, array_agg(number ORDER BY quota_id) AS quota_numbers
      FROM need JOIN granted USING (n)
      GROUP BY n
    ), taken AS MATERIALIZED (
      SELECT take_places(array_agg(quota_id), array_agg(number))
      FROM (SELECT quota_id, sum(number)::int AS number FROM need JOIN granted USING (n) GROUP BY quota_id) AS winners
      -- A function that is called for nothing still has to be looked up.
      HAVING count(*) > 0
    ), held AS MATERIALIZED (
      SELECT granted.id, request.*, given.quota_ids, given.quota_numbers, clock.created_at,
        clock.created_at + make_interval(secs => $14::int) AS expires_at
      FROM granted JOIN request USING (n) JOIN given USING (n), clock
    ), placed AS (
      INSERT INTO orders (id, user_id, event_id, status, places, created_at, expires_at, total, discount, code_id, type_ids,
        numbers, unit_prices, quota_ids, quota_numbers, currency, contact_name, contact_email, metadata, network)
      SELECT id, user_id, event_id, 'held', places, created_at, expires_at, total, subtotal - total, code_id, type_ids, numbers,
        CASE WHEN subtotal > 0 THEN unit_prices END, quota_ids, quota_numbers, currency, contact_name, contact_email, metadata::jsonb, network
      FROM held ORDER BY n
    ), ticket AS MATERIALIZED (
      SELECT nextval('tickets_id_seq') AS id, n, order_id, type_id, price, attendee
      FROM (
        SELECT held.n, held.id AS order_id, item.type_id, coalesce(held.prices[item.before + i], item.price) AS price,
          item.attendees -> (i - 1) AS attendee
        FROM held JOIN item USING (n), generate_series(1, item.number) AS i
        ORDER BY held.n, item.at, i
      ) AS single
    ), issued AS (
      INSERT INTO tickets (id, order_id, ticket_type_id, price, attendee_name, attendee_email)
      SELECT id, order_id, type_id, price, attendee ->> 'name', attendee ->> 'email' FROM ticket
    ), ticket_ids AS MATERIALIZED (
      SELECT n, array_agg(id ORDER BY id) AS ids FROM ticket GROUP BY n
    ), answer AS (
      SELECT request.n,
        CASE
          WHEN request.refusal IS NOT NULL THEN request.refusal
          -- Deleted, or changed in what the types draw on, while this waited for the locks.
          WHEN verdict.n IS NULL OR verdict.short < 0 THEN 'outdated'
          WHEN verdict.short <> 0 THEN pool.refusal
        END AS refusal,
        coalesce(request.at, (
          SELECT min(at) FROM item
          WHERE item.n = request.n AND pool.refusal = 'ticket_type_sold_out' AND pool.quota_id = ANY (item.quota_ids)
        ))::int AS "itemAt",
        request.least, request.most,
        ceil(extract(epoch FROM pool.cools_at - clock_timestamp()))::int AS "retryAfter",
        held.id, request.user_id AS "userId", request.event_id AS "eventId", 'held' AS status,
        held.created_at AS "createdAt", held.expires_at AS "expiresAt", NULL::timestamptz AS "paidAt", request.places,
        request.subtotal, request.total, request.currency, array_to_json(request.type_ids) AS "typeIds",
        array_to_json(request.type_names) AS "typeNames",
        array_to_json(request.numbers) AS numbers, array_to_json(request.unit_prices) AS "unitPrices",
        array_to_json(ticket_ids.ids) AS "ticketIds",
        CASE WHEN request.prices IS NOT NULL THEN array_to_json(request.prices) END AS prices,
        -- Not with AND, for which an unknown refusal would be no reason to leave the look out.
        CASE WHEN request.refusal IN (${REFUSED_FOR_NOW}) THEN CASE WHEN (
          SELECT true FROM orders
          WHERE orders.event_id = request.event_id AND orders.status = 'held'
            AND orders.expires_at <= now() AND orders.expires_at > request.since
          LIMIT 1
        ) IS NULL THEN extract(epoch FROM now())::float8 * 1000 END END AS "noneDueAt"
      FROM request LEFT JOIN held USING (n) LEFT JOIN verdict USING (n) LEFT JOIN ticket_ids USING (n)
      LEFT JOIN pool ON pool.place = verdict.short
      LEFT JOIN taken ON true
    )${keeps && `, ${keeps}`}
    SELECT answer.*${claims && ', verdict, outcome, claimed.answer, claimed.id AS "keyId"'}
    FROM answer ${claims && 'LEFT JOIN claimed ON claimed.n = answer.n'}
    ORDER BY answer.n`;
}
