import type { Statement } from '../database/statements';
import { claimed, keptOutcomes, VERDICTS } from '../idempotency/key-claim';
import { LIST_OF_PASSING } from './place-orders/decide';

/** Refusals that are never kept under a key: a corrected body may use it, and what lasts a while may be over. */
const NEVER_KEPT = `'quantity_not_allowed', 'order_too_large', 'ticket_type_required', 'code_not_valid', 'hold_cool_down', 'outdated'`;

const PARAMETERS =
  '$1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[], $9::int[], $10::int[], ' +
  '$11::bigint[], $12::int[], $13::text[], $14::int, $15::int, $16::int, $17::int, $18::float8[], $19::bigint[], $20::int';

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
 * free, that is mostly said without a lock. `noneDueAt` is when the statement began, in milliseconds since 1970, if no hold
 * of the event was due then, so that none gives its places back. It is null where that is still to be seen.
 */
export const PLACE_HOLDS: Statement = {
  name: 'place_holds',
  text: `SELECT * FROM place_orders(${PARAMETERS}, NULL)`,
};

/**
 * The same where some of the requests have keys: `$21` to `$24` as `keyValues` makes them, `$25` whether "sold out" is the
 * last word, and is kept. A refusal for which now is not the time never is.
 */
export const PLACE_KEYED_HOLDS: Statement = {
  name: 'place_keyed_holds',
  text: `
    WITH ${claimed(21)}, answer AS MATERIALIZED (
      SELECT * FROM place_orders(${PARAMETERS}, ARRAY(
        SELECT claimed.verdict
        FROM generate_series(1, cardinality($1::bigint[])) AS n LEFT JOIN claimed ON claimed.n = n.n
        ORDER BY n.n
      ))
    ), ${keptOutcomes(
      21,
      `SELECT n, to_jsonb(answer) - 'n' - 'noneDueAt' AS outcome FROM answer
      WHERE refusal IS NULL OR refusal NOT IN (${VERDICTS}, ${NEVER_KEPT})
        AND (refusal NOT IN (${LIST_OF_PASSING}) OR $25::bool OR "noneDueAt" IS NOT NULL)`,
    )}
    SELECT answer.*, verdict, outcome, claimed.answer, claimed.id AS "keyId"
    FROM answer LEFT JOIN claimed ON claimed.n = answer.n
    ORDER BY answer.n`,
};
