import type { Statement } from '../database/statements';

/**
 * Holds the counters of some events against their orders: the events `$1`, those of the latest orders, and the next
 * `$3` behind the event `$2`. Sold places are not counted: a count of all that was ever sold is no passing look.
 */
export const SAMPLE_DRIFT: Statement = {
  text: `
    WITH next AS MATERIALIZED (
      SELECT event_id FROM quotas WHERE event_id > $2::bigint AND kind = 'event' ORDER BY event_id LIMIT $3
    ), latest AS MATERIALIZED (
      SELECT event_id FROM orders ORDER BY id DESC LIMIT 100
    ), sampled AS MATERIALIZED (
      SELECT unnest($1::bigint[]) AS event_id UNION SELECT event_id FROM latest UNION SELECT event_id FROM next
    ), counted AS MATERIALIZED (
      SELECT event_id, held - (
        SELECT coalesce(sum(number), 0) FROM (
          SELECT quota_ids, quota_numbers FROM orders WHERE event_id + 0 = quotas.event_id AND status = 'held' LIMIT 10001
        ) AS holds, unnest(quota_ids, quota_numbers) AS place (quota_id, number)
        WHERE quota_id = quotas.id
      )::int AS drift
      FROM quotas
      WHERE held <= 10000 AND event_id IN (SELECT event_id FROM sampled)
    )
    SELECT coalesce((SELECT max(event_id) FROM next), 0) AS "lastEventId",
      coalesce(sum(abs(drift)), 0)::int AS seats, coalesce(array_agg(DISTINCT event_id), '{}') AS "eventIds"
    FROM counted WHERE drift <> 0`,
};
