import { wasThere } from '../database/scope';
import type { Statement } from '../database/statements';
import { claimed, keptOutcomes, VERDICTS } from '../idempotency/key-claim';
import { waitAtMost } from './lock-timeout';

/**
 * What keeps two batches from giving the same seat away twice. Tests take a guard out, and show that seats are then sold
 * twice.
 */
export const PLACE_HOLDS_GUARDS = {
  /** Keeps the counters as they were read until the transaction ends. */
  lock: 'FOR UPDATE',
  read: 'capacity - held - sold AS free',
};

/**
 * Takes seats for requests in their order: `$1` user ids, `$2` event ids, `$3` hold in seconds, `$4` live holds one
 * user may have on one event (0 = any number), `$5` for how many seconds holds that ended unpaid count: of those the
 * user may have three times as many (0 = any number), `$6` how many milliseconds to wait for a lock, `$7` when the token of
 * each user was issued (null = the age of the account is no matter), `$8` since when the event's holds have not been looked
 * at for due ones, in milliseconds since 1970 (null = never), `$9` the network of each request as a number (null = it is not counted), `$10` live
 * holds one network may have on one event (0 = any number). Answers a row per request: a ticket, or why there is none.
 *
 * Where nothing is free, "sold out" is said without a lock: it is true of the instant at which the statement began.
 * `noneDueAt` is that instant, in milliseconds since 1970, if no hold of the event was due then, so that none gives its
 * place back. It is null where that is still to be seen.
 */
export const placeHolds = ({ lock, read } = PLACE_HOLDS_GUARDS): Statement => ({
  name: 'place_holds',
  text: textOf({ lock, read, claims: '', verdict: '', keeps: '' }),
});

export const PLACE_HOLDS = placeHolds();

/**
 * The same where some of the requests have keys: `$11` to `$14` as `keyValues` makes them, `$15` whether "sold out" is the
 * last word, and is kept, even where holds were due. A refusal for which now is not the time never is.
 */
export const placeKeyedHolds = ({ lock, read } = PLACE_HOLDS_GUARDS): Statement => ({
  name: 'place_keyed_holds',
  text: textOf({
    lock,
    read,
    claims: `${claimed(11)}, `,
    verdict: 'WHEN claimed.verdict IS NOT NULL THEN claimed.verdict',
    keeps: keptOutcomes(
      11,
      `SELECT n, to_jsonb(answer) - 'n' - 'noneDueAt' AS outcome FROM answer
      WHERE refusal IS NULL OR refusal NOT IN (${VERDICTS}, 'hold_cool_down')
        AND (refusal <> 'event_sold_out' OR $15::bool OR "noneDueAt" IS NOT NULL)`,
    ),
  }),
});

export const PLACE_KEYED_HOLDS = placeKeyedHolds();

interface Parts {
  lock: string;
  read: string;
  /** Where there are keys: what claims them, what a claim says, and what keeps them. */
  claims: string;
  verdict: string;
  keeps: string;
}

function textOf({ lock, read, claims, verdict, keeps }: Parts): string {
  return `
    WITH ${claims}${waitAtMost('$6')}, request AS MATERIALIZED (
      SELECT r.n, r.user_id, r.event_id, r.network, coalesce(to_timestamp(r.since / 1000), '-infinity') AS since,
        CASE
          ${verdict}
          WHEN users.id IS NULL THEN 'user_not_found'
          WHEN events.id IS NULL THEN 'event_not_found'
          -- An admin names another user, or is one.
          WHEN events.status = 'draft'
            AND (events.organizer_id = r.user_id OR r.issued_at IS NULL OR users.role = 'admin') IS NOT TRUE
          THEN 'event_not_found'
          WHEN events.status <> 'published' THEN 'event_not_published'
          WHEN events.end_time <= now() THEN 'event_ended'
          -- An event that lost its counter has no places.
          WHEN inventory.held + inventory.sold < inventory.capacity THEN NULL
          ELSE 'event_sold_out'
        END AS refusal
      FROM unnest($1::bigint[], $2::bigint[], $7::bigint[], $8::float8[], $9::bigint[])
        WITH ORDINALITY AS r (user_id, event_id, issued_at, since, network, n)
      CROSS JOIN patience
      ${claims && 'LEFT JOIN claimed ON claimed.n = r.n'}
      LEFT JOIN users ON users.id = r.user_id AND ${wasThere('users.created_at', 'r.issued_at')}
      LEFT JOIN events ON events.id = r.event_id
      LEFT JOIN inventory ON inventory.event_id = r.event_id
    ), seats AS MATERIALIZED (
      SELECT event_id, ${read}
      FROM inventory
      WHERE event_id IN (SELECT event_id FROM request WHERE refusal IS NULL)
      ORDER BY event_id
      ${lock}
    ), candidate AS MATERIALIZED (
      SELECT n, user_id, event_id, network, free
      FROM request JOIN seats USING (event_id)
      WHERE refusal IS NULL
    ), holder AS MATERIALIZED (
      -- Called with what the locked seats yield, hence after they are locked.
      SELECT *
      FROM count_holds(
        ARRAY(SELECT user_id FROM candidate), ARRAY(SELECT event_id FROM candidate),
        CASE WHEN $5::int > 0 THEN 3 * $4::int END, $5::int
      )
      WHERE $4::int > 0
    ), crowd AS MATERIALIZED (
      -- After the lock, too.
      SELECT *
      FROM count_network_holds(ARRAY(SELECT event_id FROM candidate), ARRAY(SELECT network FROM candidate))
      WHERE $10::int > 0
    ), limited AS (
      SELECT n, candidate.user_id, candidate.event_id, network, free, holder.cools_at,
        CASE
          WHEN holder.live < $4::int AND holder.cools_at IS NOT NULL THEN 'hold_cool_down'
          WHEN holder.live
            + row_number() OVER (PARTITION BY candidate.user_id, candidate.event_id ORDER BY n) > $4::int
          THEN 'hold_limit_reached'
        END AS refusal
      FROM candidate
      LEFT JOIN holder ON holder.user_id = candidate.user_id AND holder.event_id = candidate.event_id
    ), spread AS (
      SELECT n, user_id, event_id, network, free, cools_at,
        CASE
          WHEN refusal IS NULL AND crowd.live + count(*) FILTER (WHERE refusal IS NULL) OVER (
            PARTITION BY event_id, network ORDER BY n ROWS UNBOUNDED PRECEDING
          ) > $10::int THEN 'network_hold_limit_reached'
          ELSE refusal
        END AS refusal
      FROM limited LEFT JOIN crowd USING (event_id, network)
    ), decided AS MATERIALIZED (
      SELECT n, user_id, event_id, network, cools_at,
        CASE
          WHEN count(*) FILTER (WHERE refusal IS NULL) OVER (
            PARTITION BY event_id ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
          ) >= free THEN 'event_sold_out'
          ELSE refusal
        END AS refusal
      FROM spread
    ), clock AS MATERIALIZED (
      SELECT clock_timestamp()::timestamptz(3) AS created_at FROM (SELECT count(*) FROM seats) AS locked
    ), granted AS MATERIALIZED (
      SELECT n, user_id, event_id, network, nextval('tickets_id_seq') AS id, created_at
      FROM (SELECT * FROM decided WHERE refusal IS NULL ORDER BY n) AS winner, clock
    ), taken AS MATERIALIZED (
      SELECT take_seats(array_agg(event_id), array_agg(number))
      FROM (SELECT event_id, count(*)::int AS number FROM granted GROUP BY event_id) AS winners
    ), held AS (
      INSERT INTO tickets (id, user_id, event_id, status, created_at, expires_at, network)
      SELECT id, user_id, event_id, 'reserved', created_at, created_at + make_interval(secs => $3::int), network
      FROM granted ORDER BY n
    ), answer AS (
      SELECT request.n,
        CASE
          WHEN request.refusal IS NOT NULL THEN request.refusal
          -- Deleted, counter and all, while this waited for the lock.
          WHEN decided.n IS NULL THEN 'event_not_found'
          ELSE decided.refusal
        END AS refusal,
        ceil(extract(epoch FROM decided.cools_at - clock_timestamp()))::int AS "retryAfter",
        granted.id, request.user_id AS "userId", request.event_id AS "eventId", 'reserved' AS status,
        granted.created_at AS "createdAt", granted.created_at + make_interval(secs => $3::int) AS "expiresAt",
        NULL::timestamptz AS "paidAt",
        -- Not with AND, for which an unknown refusal would be no reason to leave the look out.
        CASE request.refusal WHEN 'event_sold_out' THEN CASE WHEN (
          SELECT true FROM tickets
          WHERE tickets.event_id = request.event_id AND status = 'reserved'
            AND tickets.expires_at <= now() AND tickets.expires_at > request.since
          LIMIT 1
        ) IS NULL THEN extract(epoch FROM now())::float8 * 1000 END END AS "noneDueAt"
      FROM request LEFT JOIN decided USING (n) LEFT JOIN granted USING (n), taken
    )${keeps && `, ${keeps}`}
    SELECT answer.*${claims && ', verdict, outcome, claimed.answer, claimed.id AS "keyId"'}
    FROM answer ${claims && 'LEFT JOIN claimed ON claimed.n = answer.n'}
    ORDER BY answer.n`;
}
