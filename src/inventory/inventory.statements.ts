import type { Statement } from '../database/statements';

/*
 * Every statement by which seats change hands. Each moves the tickets and the counters together, so that no crash
 * and no rival can come between; all take their locks in one order, tickets before inventory, each by id, so that no
 * two can wait for each other. Rows that were waited for are read anew once they are locked (READ COMMITTED), so
 * what is decided is decided on the counters as they are.
 *
 * A counter of held seats that went wrong by somebody's hand (`npm run doctor` finds it) may be too low for the holds
 * that end. It stays at 0 then: the CHECK would let nobody pay, and keep due holds of all other events, too.
 *
 * Of requests, holds and what becomes of them the planner knows nothing, and joins two such sets by comparing each row
 * with each. So what comes later waits for a lock by reading how many rows were locked, not by a join with them.
 */

/**
 * Takes seats for requests in their order: `$1` user ids, `$2` event ids, `$3` hold in seconds, `$4` live holds one
 * user may have on one event (0 = any number), `$5` for how many seconds holds that ended unpaid count: of those the
 * user may have three times as many (0 = any number). Answers a row per request: a ticket, or why there is none.
 */
export const RESERVE: Statement = {
  name: 'reserve',
  text: `
    WITH request AS MATERIALIZED (
      SELECT r.n, r.user_id, r.event_id,
        CASE
          WHEN users.id IS NULL THEN 'user_not_found'
          WHEN events.id IS NULL THEN 'event_not_found'
          WHEN events.end_time <= now() THEN 'event_ended'
        END AS refusal
      FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS r (user_id, event_id, n)
      LEFT JOIN users ON users.id = r.user_id
      LEFT JOIN events ON events.id = r.event_id
    ), seats AS MATERIALIZED (
      SELECT event_id, capacity - held - sold AS free
      FROM inventory
      WHERE event_id IN (SELECT event_id FROM request WHERE refusal IS NULL)
      ORDER BY event_id
      FOR UPDATE
    ), candidate AS MATERIALIZED (
      SELECT n, user_id, event_id, free
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
    ), limited AS (
      SELECT n, candidate.user_id, candidate.event_id, free, holder.cools_at,
        CASE
          WHEN holder.live < $4::int AND holder.cools_at IS NOT NULL THEN 'hold_cool_down'
          WHEN holder.live
            + row_number() OVER (PARTITION BY candidate.user_id, candidate.event_id ORDER BY n) > $4::int
          THEN 'hold_limit_reached'
        END AS refusal
      FROM candidate
      LEFT JOIN holder ON holder.user_id = candidate.user_id AND holder.event_id = candidate.event_id
    ), decided AS MATERIALIZED (
      SELECT n, user_id, event_id, cools_at,
        CASE
          WHEN count(*) FILTER (WHERE refusal IS NULL) OVER (
            PARTITION BY event_id ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
          ) >= free THEN 'event_sold_out'
          ELSE refusal
        END AS refusal
      FROM limited
    ), clock AS MATERIALIZED (
      SELECT clock_timestamp()::timestamptz(3) AS created_at FROM (SELECT count(*) FROM seats) AS locked
    ), granted AS MATERIALIZED (
      SELECT n, user_id, event_id, nextval('tickets_id_seq') AS id, created_at
      FROM (SELECT * FROM decided WHERE refusal IS NULL ORDER BY n) AS winner, clock
    ), taken AS MATERIALIZED (
      SELECT take_seats(array_agg(event_id), array_agg(number))
      FROM (SELECT event_id, count(*)::int AS number FROM granted GROUP BY event_id) AS winners
    ), held AS (
      INSERT INTO tickets (id, user_id, event_id, status, created_at, expires_at)
      SELECT id, user_id, event_id, 'reserved', created_at, created_at + make_interval(secs => $3::int)
      FROM granted ORDER BY n
    )
    SELECT coalesce(request.refusal, decided.refusal) AS refusal,
      ceil(extract(epoch FROM decided.cools_at - clock_timestamp()))::int AS "retryAfter",
      granted.id, request.user_id AS "userId", request.event_id AS "eventId", 'reserved' AS status, granted.created_at AS "createdAt",
      granted.created_at + make_interval(secs => $3::int) AS "expiresAt", NULL AS "paidAt"
    FROM request LEFT JOIN decided USING (n) LEFT JOIN granted USING (n), taken
    ORDER BY request.n`,
};

/**
 * Ends live holds as their holders ask: `$1` ticket ids, `$2` what each becomes, `paid` or `cancelled`, `$3` whose it
 * must be (null = anyone's); a ticket of somebody else is as good as none. Of several requests for one ticket the first
 * wins. Answers a row per request: whether the ticket is there, and the ticket if this request changed it.
 */
export const SETTLE: Statement = {
  name: 'settle',
  text: `
    WITH request AS MATERIALIZED (
      SELECT * FROM unnest($1::bigint[], $2::varchar[], $3::bigint[])
        WITH ORDINALITY AS r (ticket_id, target, owner_id, n)
    ), ticket AS MATERIALIZED (
      SELECT id, user_id, event_id, status, expires_at
      FROM tickets
      WHERE id IN (SELECT ticket_id FROM request)
      ORDER BY id
      FOR UPDATE
    ), clock AS MATERIALIZED (
      -- Read once, after every ticket is locked; cut to the millisecond it still lies before expires_at.
      SELECT date_trunc('milliseconds', clock_timestamp()) AS at FROM (SELECT count(*) FROM ticket) AS locked
    ), live AS MATERIALIZED (
      SELECT DISTINCT ON (id) n, id, event_id, target, clock.at
      FROM ticket JOIN request ON ticket_id = id AND user_id = coalesce(owner_id, user_id), clock
      WHERE status = 'reserved' AND expires_at > clock.at
      ORDER BY id, n
    ), seats AS MATERIALIZED (
      SELECT event_id FROM inventory
      WHERE event_id IN (SELECT event_id FROM live)
      ORDER BY event_id
      FOR UPDATE
    ), seats_locked AS MATERIALIZED (
      SELECT count(*) FROM seats
    ), moved AS (
      UPDATE inventory SET held = greatest(held - settled.number, 0), sold = sold + settled.paid
      FROM (
        SELECT event_id, count(*)::int AS number, (count(*) FILTER (WHERE target = 'paid'))::int AS paid
        FROM live, seats_locked GROUP BY event_id
      ) AS settled
      WHERE inventory.event_id = settled.event_id
    ), changed AS (
      UPDATE tickets SET status = live.target, paid_at = CASE WHEN live.target = 'paid' THEN live.at END
      FROM live
      WHERE tickets.id = live.id
      RETURNING tickets.*, live.n
    )
    SELECT ticket.id IS NOT NULL AS found, changed.id, changed.user_id AS "userId", changed.event_id AS "eventId",
      changed.status, changed.created_at AS "createdAt", changed.expires_at AS "expiresAt", changed.paid_at AS "paidAt"
    FROM request
    LEFT JOIN ticket ON ticket.id = ticket_id AND ticket.user_id = coalesce(owner_id, ticket.user_id)
    LEFT JOIN changed ON changed.n = request.n
    ORDER BY request.n`,
};

/**
 * Ends at most `$1` holds that are due and gives their seats back. Tickets another process works on are left to it.
 * Answers how late each was ended.
 */
export const RELEASE_DUE: Statement = {
  // Without a name: it runs from the first second on, and would keep the plan it got while there was no ticket yet.
  text: `
    WITH due AS MATERIALIZED (
      SELECT id, event_id FROM tickets
      WHERE status = 'reserved' AND expires_at <= now()
      ORDER BY expires_at
      LIMIT $1
      FOR UPDATE SKIP LOCKED
    ), ${endHolds('due')}
    SELECT "lateSeconds" FROM expired`,
};

/**
 * The same for the events in `$1`, whose seats somebody wants now: waits for tickets that another process works on.
 * Answers how late each hold was ended, and the events that are worth another try: those that had due holds, released
 * here or meanwhile elsewhere, and those whose seats somebody else gave back before.
 */
export const RELEASE_DUE_OF_EVENTS: Statement = {
  name: 'release_due_of_events',
  text: `
    WITH due AS MATERIALIZED (
      SELECT id, event_id FROM tickets
      WHERE event_id = ANY ($1::bigint[]) AND status = 'reserved' AND expires_at <= now()
      LIMIT $2
    ), locked AS MATERIALIZED (
      -- The status is looked at later: here it would offer the planner the index of all holds to go through.
      SELECT id, event_id, status FROM tickets
      WHERE id IN (SELECT id FROM due)
      ORDER BY id
      FOR UPDATE
    ), unreleased AS MATERIALIZED (
      SELECT id, event_id FROM locked WHERE status = 'reserved'
    ), ${endHolds('unreleased')}
    SELECT event_id AS "eventId", NULL::float8 AS "lateSeconds" FROM due
    UNION
    SELECT event_id, NULL FROM inventory WHERE event_id = ANY ($1::bigint[]) AND held + sold < capacity
    UNION ALL
    SELECT NULL, "lateSeconds" FROM expired`,
};

/**
 * Holds the counters of some events against their tickets: the events `$1`, those of the latest tickets, and the next
 * `$3` behind the event `$2`. Sold seats are not counted: a count of all that was ever sold is no passing look.
 */
export const SAMPLE_DRIFT: Statement = {
  text: `
    WITH next AS MATERIALIZED (
      SELECT event_id FROM inventory WHERE event_id > $2::bigint ORDER BY event_id LIMIT $3
    ), latest AS MATERIALIZED (
      SELECT event_id FROM tickets ORDER BY id DESC LIMIT 100
    ), counted AS MATERIALIZED (
      SELECT event_id, held - (
        SELECT count(*) FROM (
          SELECT FROM tickets WHERE event_id = inventory.event_id AND status = 'reserved' LIMIT 10001
        ) AS holds
      )::int AS drift
      FROM inventory
      WHERE held <= 10000 AND event_id IN (
        SELECT unnest($1::bigint[]) UNION SELECT event_id FROM latest UNION SELECT event_id FROM next
      )
    )
    SELECT coalesce((SELECT max(event_id) FROM next), 0) AS "lastEventId",
      coalesce(sum(abs(drift)), 0)::int AS seats, coalesce(array_agg(event_id), '{}') AS "eventIds"
    FROM counted WHERE drift <> 0`,
};

/** The seats last: they are locked for a moment only, however many holds end, and whoever reserves hardly waits. */
function endHolds(holds: string): string {
  return `expired AS MATERIALIZED (
      UPDATE tickets SET status = 'expired'
      FROM ${holds}
      WHERE tickets.id = ${holds}.id
      RETURNING tickets.event_id, extract(epoch FROM clock_timestamp() - tickets.expires_at)::float8 AS "lateSeconds"
    ), ended AS MATERIALIZED (
      SELECT event_id, count(*)::int AS number FROM expired GROUP BY event_id
    ), seats AS MATERIALIZED (
      SELECT event_id FROM inventory
      WHERE event_id IN (SELECT event_id FROM ended)
      ORDER BY event_id
      FOR UPDATE
    ), seats_locked AS MATERIALIZED (
      SELECT count(*) FROM seats
    ), returned AS (
      UPDATE inventory SET held = greatest(held - ended.number, 0)
      FROM ended, seats_locked
      WHERE inventory.event_id = ended.event_id
    )`;
}
