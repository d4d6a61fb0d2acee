import { buyerThere, orderInScope } from '../database/scope';
import type { Statement } from '../database/statements';
import { statusAt } from './order-status';

/** What keeps a hold from being extended twice, or after its end. Tests take a guard out, and show what then goes wrong. */
export const EXTEND_HOLD_GUARDS = {
  isFirst: 'NOT is_extended',
  isLive: 'expires_at > clock_timestamp()',
};

/**
 * Lets the hold of the order `$1` end as much later as it has lasted from its creation: once, and while it lasts. `$2` and
 * `$3` are who asks for it (null: anyone) and when their token was issued, `$4` whether that may also be the organizer.
 *
 * Locks the order before it looks: a payment or the end of the hold may come while it waits.
 *
 * Answers the order as it is then, or no row where there is none in scope. LIKE keeps the planner from the index of all that
 * is held, which looks as good as the primary key while there are no statistics.
 */
export const extendHold = ({ isFirst, isLive } = EXTEND_HOLD_GUARDS): Statement => ({
  name: 'extend_hold',
  text: `
    WITH asked AS MATERIALIZED (
      SELECT orders.id
      FROM orders, (SELECT ${buyerThere('$2::bigint', '$3::bigint')} AS id) AS caller
      WHERE orders.id = $1 AND ${orderInScope('caller.id', '$4::bool', 'orders')}
    ), locked AS MATERIALIZED (
      SELECT id, status, is_paying, expires_at, paid_at FROM orders WHERE id = (SELECT id FROM asked) FOR UPDATE
    ), extended AS (
      UPDATE orders SET expires_at = expires_at + (expires_at - created_at), is_extended = true
      WHERE id = (SELECT id FROM locked) AND status LIKE 'held' AND ${isFirst} AND ${isLive}
      RETURNING expires_at
    )
    SELECT extended.expires_at AS "expiresAt",
      ceil(extract(epoch FROM extended.expires_at - clock_timestamp()) * 1000)::int8 AS "expiresInMs",
      ${statusAt('clock_timestamp()')} AS status, orders.paid_at AS "paidAt"
    FROM locked AS orders LEFT JOIN extended ON true`,
});

export const EXTEND_HOLD = extendHold();
