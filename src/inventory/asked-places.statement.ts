import { MAX_MONEY } from '../http/fields';

/** Refusals that are never kept under a key: a corrected body may use it, and what lasts a while may be over. */
export const NEVER_KEPT = `'quantity_not_allowed', 'order_too_large', 'ticket_type_required', 'code_not_valid', 'hold_cool_down', 'outdated'`;

/** Refusals that a hold which ends may turn, as a list of SQL. */
export const REFUSED_FOR_NOW = `'event_sold_out', 'ticket_type_sold_out', 'code_used_up'`;

interface Parts {
  /** Where there are keys: what claims them, and what a claim says. */
  claims: string;
  verdict: string;
  /** Whether the user's account was there when the token was issued. */
  wasThere: string;
}

/**
 * A part of `placeHolds`: what its orders ask for. `request` has a row per order, with the first refusal that needs no lock
 * and the item to blame; `item` a row per item of them; `need` how many places each order takes of which quota.
 */
export const asked = ({ claims, verdict, wasThere }: Parts) => `asked_order AS MATERIALIZED (
      SELECT r.n::int AS n, r.user_id, r.event_id, r.contact_name, r.contact_email, r.metadata,
        coalesce(to_timestamp(r.since / 1000), '-infinity') AS since, r.network, event.status, event.end_time, event.organizer_id, event.currency, event.max_tickets_per_user AS max_per_user,
        r.code IS NOT NULL AS has_code, code.id AS code_id, code.quota_id AS code_quota_id, code.percent_off, code.amount_off,
        code.ticket_type_ids AS code_type_ids,
        r.issued_at, account.id IS NOT NULL AS has_user, account.role = 'admin' AS is_admin
      FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
        $18::float8[], $19::bigint[])
        WITH ORDINALITY AS r (user_id, event_id, issued_at, code, contact_name, contact_email, metadata, since, network, n)
      CROSS JOIN patience
      LEFT JOIN LATERAL (
        SELECT id, role FROM users WHERE users.id = r.user_id AND ${wasThere} OFFSET 0
      ) AS account ON true
      LEFT JOIN LATERAL (
        SELECT status, end_time, organizer_id, currency, max_tickets_per_user FROM events WHERE id = r.event_id OFFSET 0
      ) AS event ON true
      LEFT JOIN LATERAL (
        SELECT * FROM codes
        WHERE event_id = r.event_id AND code_key = r.code AND deleted_at IS NULL
          AND (valid_from IS NULL OR valid_from <= now()) AND (valid_until IS NULL OR valid_until > now())
        OFFSET 0
      ) AS code ON r.code IS NOT NULL
    ), item AS MATERIALIZED (
      SELECT l.n, l.at, l.before, l.number, l.attendees::jsonb AS attendees, type.id AS type_id, type.name, type.price, type.quota_ids,
        type.min_per_order AS least, type.max_per_order AS most,
        coalesce(type.id = ANY (coalesce(code_type_ids, ARRAY[type.id])), false) AS is_reduced,
        CASE
          WHEN l.type_id IS NULL AND only_type.number > 1 THEN 'ticket_type_required'
          WHEN type.id IS NULL OR type.event_id <> asked_order.event_id THEN 'ticket_type_not_found'
          WHEN type.is_hidden AND NOT coalesce(type.id = ANY (code_type_ids), false) THEN 'ticket_type_not_found'
          WHEN l.number NOT BETWEEN type.min_per_order AND type.max_per_order THEN 'quantity_not_allowed'
          WHEN type.sales_from > now() OR type.sales_until <= now() THEN 'ticket_type_not_on_sale'
        END AS refusal
      FROM unnest($8::int[], $9::int[], $10::int[], $11::bigint[], $12::int[], $13::text[])
        AS l (n, at, before, type_id, number, attendees)
      JOIN asked_order ON asked_order.n = l.n
      LEFT JOIN LATERAL (
        SELECT min(id) AS id, count(*) AS number FROM (
          SELECT id FROM ticket_types
          WHERE event_id = asked_order.event_id AND archived_at IS NULL AND NOT is_hidden LIMIT 2
        ) AS visible
      ) AS only_type ON l.type_id IS NULL
      LEFT JOIN LATERAL (
        SELECT * FROM ticket_types WHERE id = coalesce(l.type_id, only_type.id) AND archived_at IS NULL OFFSET 0
      ) AS type ON true
    ), content AS MATERIALIZED (
      SELECT n, sum(number)::int AS places, min(at) FILTER (WHERE refusal IS NOT NULL) AS faulty,
        array_agg(type_id ORDER BY at) AS type_ids, array_agg(number ORDER BY at) AS numbers,
        array_agg(price ORDER BY at) AS unit_prices, array_agg(name ORDER BY at) AS type_names, sum(price::numeric * number) AS subtotal
      FROM item GROUP BY n
    ), reduced AS MATERIALIZED (
      SELECT n, prices, (SELECT sum(price) FROM unnest(prices) AS price) AS total
      FROM (
        SELECT item.n, price_tickets(array_agg(price ORDER BY at, i), array_agg(is_reduced ORDER BY at, i),
          percent_off, amount_off) AS prices
        FROM asked_order JOIN item USING (n), generate_series(1, item.number) AS i
        WHERE num_nonnulls(percent_off, amount_off) > 0 AND item.price IS NOT NULL
        GROUP BY item.n, percent_off, amount_off
      ) AS priced
    ), unlocked AS MATERIALIZED (
      SELECT asked_order.*, content.places, content.type_ids, content.type_names, content.numbers, content.unit_prices, content.subtotal, reduced.prices,
        CASE WHEN reduced.prices IS NULL THEN content.subtotal ELSE reduced.total END AS total,
        content.faulty AS at, faulty.least, faulty.most,
        CASE
          ${verdict}
          WHEN NOT has_user THEN 'user_not_found'
          WHEN end_time IS NULL THEN 'event_not_found'
          -- An admin names another user, or is one.
          WHEN status = 'draft' AND (organizer_id = user_id OR issued_at IS NULL OR is_admin) IS NOT TRUE THEN 'event_not_found'
          WHEN status <> 'published' THEN 'event_not_published'
          WHEN end_time <= now() THEN 'event_ended'
          WHEN faulty.refusal IS NOT NULL THEN faulty.refusal
          WHEN has_code AND code_id IS NULL THEN 'code_not_valid'
          WHEN subtotal > ${MAX_MONEY} THEN 'order_too_large'
        END AS refusal
      FROM asked_order JOIN content USING (n)
      -- Conditions that hold back the look itself, for most orders need neither.
      LEFT JOIN LATERAL (
        SELECT item.refusal, item.least, item.most FROM item
        WHERE content.faulty IS NOT NULL AND item.n = content.n AND item.at = content.faulty
        OFFSET 0
      ) AS faulty ON true
      ${claims && 'LEFT JOIN claimed ON claimed.n = asked_order.n'}
      LEFT JOIN reduced ON reduced.n = asked_order.n
    ), need_of AS MATERIALIZED (
      SELECT n, quota_id, sum(number)::int AS number
      FROM (
        SELECT item.n, unnest(item.quota_ids) AS quota_id, item.number
        FROM item JOIN unlocked USING (n) WHERE unlocked.refusal IS NULL
        UNION ALL
        SELECT n, code_quota_id, 1 FROM unlocked WHERE refusal IS NULL AND code_id IS NOT NULL
      ) AS each_need
      GROUP BY n, quota_id
    ), glance AS MATERIALIZED (
      SELECT need_of.n, need_of.quota_id, need_of.number, quota.kind, quota.is_closed, quota.version,
        coalesce(quota.is_closed OR quota.capacity - quota.held - quota.sold < need_of.number, true) AS is_lacking
      FROM need_of
      LEFT JOIN LATERAL (SELECT * FROM quotas WHERE id = need_of.quota_id OFFSET 0) AS quota ON true
    ), lacking AS MATERIALIZED (
      SELECT DISTINCT ON (n) n, quota_id, CASE
          WHEN is_closed THEN 'event_not_published'
          WHEN kind = 'type' THEN 'ticket_type_sold_out'
          WHEN kind = 'code' THEN 'code_used_up'
          ELSE 'event_sold_out'
        END AS refusal
      FROM glance WHERE is_lacking
      ORDER BY n, CASE kind WHEN 'type' THEN 2 WHEN 'code' THEN 3 ELSE 1 END, quota_id
    ), need AS MATERIALIZED (
      SELECT n, quota_id, number, version, n IN (SELECT n FROM lacking) AS is_short FROM glance
    ), request AS MATERIALIZED (
      SELECT unlocked.n, user_id, event_id, contact_name, contact_email, metadata, since, network, currency, max_per_user, code_id, places,
        type_ids, type_names, numbers, unit_prices, least(subtotal, ${MAX_MONEY})::bigint AS subtotal, prices, least(total, ${MAX_MONEY})::bigint AS total,
        coalesce(unlocked.at, (
          SELECT min(item.at) FROM item
          WHERE item.n = unlocked.n AND lacking.refusal = 'ticket_type_sold_out' AND lacking.quota_id = ANY (item.quota_ids)
        )) AS at,
        least, most, coalesce(unlocked.refusal, lacking.refusal) AS refusal
      FROM unlocked LEFT JOIN lacking ON lacking.n = unlocked.n
    )`;
