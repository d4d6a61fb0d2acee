/** SQL: why a quota has no place. */
export const SHORTAGE = `CASE
          WHEN is_closed THEN 'event_not_published'
          WHEN kind = 'type' THEN 'ticket_type_sold_out'
          WHEN kind = 'code' THEN 'code_used_up'
          ELSE 'event_sold_out'
        END`;

/** SQL: which of several shortages is named: the event before its types, these before codes. */
const RANK = `CASE kind WHEN 'type' THEN 2 WHEN 'code' THEN 3 ELSE 1 END`;

/**
 * SQL: whether a hold of the event of the order `n` is due and was not seen before, so that its places are about to come
 * back.
 */
export const hasDue = (n: string) => `EXISTS (
        SELECT FROM orders
        WHERE orders.event_id + 0 = event_ids[${n}] AND orders.status = 'held' AND orders.expires_at <= asked_at
          AND orders.expires_at > coalesce(to_timestamp(looked_since[${n}] / 1000), '-infinity')
      )`;

/**
 * A part of `place_orders`: which places of which quotas each order needs, and whose places are not free as it is.
 *
 * @param version SQL: the version of `quota`, whose id is `needed.quota_id`, when the order `need.n` was looked up
 */
export const lookForShortages = (version: string) => `
  -- What is short is seen without a lock. Whether a hold is due is seen at the same instant: one that is released later
  -- gives back what was not there.
  SELECT array_agg(look.n), array_agg(look.quota_id), array_agg(look.number), array_agg(look.version), array_agg(look.shortage),
    array_agg(look.has_due)
  INTO need_ns, need_quota_ids, need_numbers, need_versions, need_shortages, need_has_due
  FROM (
    SELECT glance.*, CASE WHEN glance.shortage IS NOT NULL THEN ${hasDue('glance.n')} END AS has_due
    FROM (
      SELECT need.n, needed.quota_id, need.number, quota.kind, ${version} AS version, CASE
          -- It went with its event, or its type has others now; one that somebody deleted by hand has nothing.
          WHEN quota.free IS NULL AND NOT EXISTS (
            SELECT FROM ticket_types WHERE event_id = event_ids[need.n] AND needed.quota_id = ANY (quota_ids)
          ) THEN 'outdated'
          WHEN quota.free IS NULL OR quota.is_closed OR quota.free < need.number THEN ${SHORTAGE}
        END AS shortage
      FROM (
        -- Orders that need the same quota share a look at it.
        SELECT each_quota.quota_id, array_agg(each_quota.n) AS ns, array_agg(each_quota.number) AS numbers
        FROM (
          SELECT each_need.n, each_need.quota_id, sum(each_need.number)::integer AS number
          FROM (
            SELECT item.n, item.quota_id, item.number
            FROM unnest(item_ns, item_numbers, event_quota_ids) AS item (n, number, quota_id)
            WHERE is_open[item.n]
            UNION ALL
            SELECT item.n, item.quota_id, item.number
            FROM unnest(item_ns, item_numbers, own_quota_ids) AS item (n, number, quota_id)
            WHERE item.quota_id IS NOT NULL AND is_open[item.n]
            UNION ALL
            SELECT code.n, code.quota_id, 1 FROM unnest(code_quota_ids) WITH ORDINALITY AS code (quota_id, n)
            WHERE code.quota_id IS NOT NULL AND is_open[code.n]
          ) AS each_need
          GROUP BY each_need.n, each_need.quota_id
        ) AS each_quota
        GROUP BY each_quota.quota_id
      ) AS needed
      LEFT JOIN LATERAL (
        SELECT kind, version, is_closed, capacity - held - sold AS free FROM quotas WHERE quotas.id = needed.quota_id OFFSET 0
      ) AS quota ON true
      CROSS JOIN unnest(needed.ns, needed.numbers) AS need (n, number)
    ) AS glance
    ORDER BY glance.n, ${RANK}, glance.quota_id
  ) AS look;
  IF cardinality(array_remove(need_shortages, NULL)) > 0 THEN
    FOR k IN 1 .. cardinality(need_ns) LOOP
      o := need_ns[k];
      IF need_shortages[k] IS NOT NULL AND is_open[o] THEN
        refusals[o] := need_shortages[k];
        is_open[o] := false;
        has_due[o] := coalesce(need_has_due[k], false);
        short_quota_ids[o] := need_quota_ids[k];
      END IF;
    END LOOP;
  END IF;`;
