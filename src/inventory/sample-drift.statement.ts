import type { Statement } from '../database/statements';

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
