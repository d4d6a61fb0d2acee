/** SQL: the orders, and of each the first of the batch that is of the same user and event: what these have is counted once. */
const ASKED_BY_USERS = `(
          SELECT asked.n, asked.user_id, asked.event_id,
            min(asked.n) FILTER (WHERE is_open[asked.n]) OVER (PARTITION BY asked.user_id, asked.event_id) AS first
          FROM unnest(user_ids, event_ids) WITH ORDINALITY AS asked (user_id, event_id, n)
        ) AS asked`;

/** SQL: read by the indexes of users' holds and purchases, and no other. */
const OF_USER_AND_EVENT = 'orders.user_id + 0 = asked.user_id AND orders.event_id + 0 = asked.event_id';

/** SQL: what was paid was not let go, even where it was given back since. The first part fits the index. */
const UNPAID = `orders.status NOT LIKE 'paid' AND orders.paid_at IS NULL`;

/** A part of `place_orders`: counts what users and networks have of the events, once their quotas are locked. */
export const COUNT_LIMITS = `
    counted_at := clock_timestamp();
    IF user_limit > 0 THEN
      SELECT array_agg(look.first), array_agg(CASE WHEN look.cools_at IS NULL THEN user_limit - look.live ELSE 0 END),
        array_agg(CASE WHEN look.live < user_limit THEN look.cools_at END)
      INTO user_firsts, user_free, user_cools_at
      FROM (
        SELECT asked.first, holds.live, CASE WHEN holds.unpaid - holds.live >= 3 * user_limit AND cool_down_seconds > 0 THEN (
            -- When the oldest of them but so many leaves the window, another may end.
            SELECT ended.expires_at FROM (
              SELECT orders.expires_at, sum(orders.places) OVER (ORDER BY orders.expires_at DESC, orders.id DESC) AS places
              FROM orders
              WHERE ${OF_USER_AND_EVENT} AND ${UNPAID}
                AND orders.expires_at > counted_at - cool_down AND NOT (orders.status LIKE 'held' AND orders.expires_at > counted_at)
            ) AS ended
            WHERE ended.places >= 3 * user_limit ORDER BY ended.expires_at DESC LIMIT 1
          ) + cool_down END AS cools_at
        FROM ${ASKED_BY_USERS}
        LEFT JOIN LATERAL (
          SELECT coalesce(sum(orders.places), 0)::integer AS unpaid,
            coalesce(sum(orders.places) FILTER (WHERE orders.status LIKE 'held' AND orders.expires_at > counted_at), 0)::integer AS live
          FROM orders
          WHERE ${OF_USER_AND_EVENT} AND ${UNPAID}
            AND orders.expires_at > counted_at - cool_down AND asked.n = asked.first
        ) AS holds ON true
        ORDER BY asked.n
      ) AS look;
    END IF;
    IF cardinality(array_remove(bought_limits, NULL)) > 0 THEN
      SELECT array_agg(look.first), array_agg(look.free) INTO bought_firsts, bought_free
      FROM (
        SELECT asked.first, bought_limits[asked.n] - live.places - paid.places AS free
        FROM ${ASKED_BY_USERS}
        LEFT JOIN LATERAL (
          SELECT coalesce(sum(orders.places), 0)::integer AS places FROM orders
          WHERE ${OF_USER_AND_EVENT}
            AND orders.status NOT LIKE 'paid' AND orders.expires_at > counted_at AND orders.status LIKE 'held' AND asked.n = asked.first
        ) AS live ON true
        LEFT JOIN LATERAL (
          SELECT count(*)::integer AS places FROM orders JOIN tickets ON tickets.order_id = orders.id
          WHERE ${OF_USER_AND_EVENT} AND orders.status LIKE 'paid'
            AND (tickets.fate IS NULL OR tickets.fate = 'blocked') AND asked.n = asked.first
        ) AS paid ON true
        ORDER BY asked.n
      ) AS look;
    END IF;
    IF network_limit > 0 AND cardinality(array_remove(networks, NULL)) > 0 THEN
      SELECT array_agg(look.first), array_agg(look.free) INTO network_firsts, network_free
      FROM (
        SELECT asked.first, network_limit - live.places AS free
        FROM (
          SELECT asked.n, asked.network, asked.event_id,
            min(asked.n) FILTER (WHERE is_open[asked.n] AND asked.network IS NOT NULL)
              OVER (PARTITION BY asked.network, asked.event_id) AS first
          FROM unnest(networks, event_ids) WITH ORDINALITY AS asked (network, event_id, n)
        ) AS asked
        -- An order has a network only while it is held.
        LEFT JOIN LATERAL (
          SELECT coalesce(sum(orders.places), 0)::integer AS places FROM orders
          WHERE orders.event_id + 0 = asked.event_id AND orders.network = asked.network AND orders.expires_at > counted_at
            AND asked.n = asked.first
        ) AS live ON true
        ORDER BY asked.n
      ) AS look;
    END IF;`;
