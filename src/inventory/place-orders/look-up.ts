import { wasThere } from '../../database/scope';

/** A part of `place_orders`: reads users, events, codes and ticket types, and what of them refuses an order or an item. */
export const LOOK_UP = `
  -- The version comes first: what changes from here on, before the quotas are locked, changes it.
  SELECT array_agg(look.refusal), array_agg(look.currency), array_agg(look.max_tickets_per_user), array_agg(look.version)
  INTO refusals, currencies, bought_limits, event_versions
  FROM (
    SELECT event.currency, event.max_tickets_per_user, quota.version, CASE
        WHEN verdicts[o] IS NOT NULL THEN verdicts[o]
        WHEN account.id IS NULL THEN 'user_not_found'
        WHEN event.end_time IS NULL THEN 'event_not_found'
        -- An admin names another user, or is one.
        WHEN event.status = 'draft' AND (
          event.organizer_id = user_ids[o] OR issued_at[o] IS NULL OR account.role = 'admin'
        ) IS NOT TRUE THEN 'event_not_found'
        WHEN event.status <> 'published' THEN 'event_not_published'
        WHEN event.end_time <= asked_at THEN 'event_ended'
      END AS refusal
    FROM (
      SELECT each_event.id, array_agg(each_event.o) AS orders
      FROM unnest(event_ids) WITH ORDINALITY AS each_event (id, o) GROUP BY each_event.id
    ) AS asked
    LEFT JOIN LATERAL (
      SELECT events.status, events.end_time, events.organizer_id, events.currency, events.max_tickets_per_user
      FROM events WHERE events.id = asked.id OFFSET 0
    ) AS event ON true
    LEFT JOIN LATERAL (
      SELECT quotas.version FROM quotas WHERE quotas.event_id = asked.id AND quotas.kind = 'event' OFFSET 0
    ) AS quota ON true
    CROSS JOIN unnest(asked.orders) AS o
    LEFT JOIN LATERAL (
      SELECT users.id, users.role FROM users
      WHERE users.id = user_ids[o] AND ${wasThere('users.created_at', 'issued_at[o]')} OFFSET 0
    ) AS account ON true
    ORDER BY o
  ) AS look;

  IF cardinality(array_remove(codes, NULL)) > 0 THEN
    SELECT array_agg(code.id), array_agg(code.quota_id) INTO code_ids, code_quota_ids
    FROM (
      SELECT code.id, code.quota_id
      FROM unnest(event_ids, codes) WITH ORDINALITY AS asked (event_id, code, n)
      LEFT JOIN LATERAL (
        SELECT codes.id, codes.quota_id FROM codes
        WHERE codes.event_id = asked.event_id AND codes.code_key = asked.code AND codes.deleted_at IS NULL
          AND (codes.valid_from IS NULL OR codes.valid_from <= now()) AND (codes.valid_until IS NULL OR codes.valid_until > now())
        OFFSET 0
      ) AS code ON asked.code IS NOT NULL
      ORDER BY asked.n
    ) AS code;
  END IF;

  SELECT array_agg(look.id), array_agg(look.name), array_agg(look.price), array_agg(look.quota_ids[1]), array_agg(look.quota_ids[2]),
    array_agg(look.min_per_order), array_agg(look.max_per_order), array_agg(look.is_reduced), array_agg(look.refusal),
    max(look.price) > 0
  INTO type_ids, type_names, type_prices, event_quota_ids, own_quota_ids, item_leasts, item_mosts, is_reduced, item_refusals,
    has_prices
  FROM (
    SELECT type.id, type.name, type.price, type.quota_ids, type.min_per_order, type.max_per_order,
      coalesce(type.id = ANY (coalesce(code.ticket_type_ids, ARRAY[type.id])), false) AS is_reduced,
      CASE
        WHEN asked.type_id IS NULL AND only_type.number > 1 THEN 'ticket_type_required'
        -- The event was there a statement ago.
        WHEN type.id IS NULL AND NOT EXISTS (SELECT FROM events WHERE events.id = asked.event_id) THEN 'outdated'
        WHEN type.id IS NULL OR type.event_id <> asked.event_id THEN 'ticket_type_not_found'
        WHEN type.is_hidden AND NOT coalesce(type.id = ANY (code.ticket_type_ids), false) THEN 'ticket_type_not_found'
        WHEN item_numbers[i] NOT BETWEEN type.min_per_order AND type.max_per_order THEN 'quantity_not_allowed'
        WHEN type.sales_from > asked_at OR type.sales_until <= asked_at THEN 'ticket_type_not_on_sale'
      END AS refusal
    FROM (
      SELECT event_ids[item.n] AS event_id, item.type_id, array_agg(item.i) AS items
      FROM unnest(item_ns, asked_type_ids) WITH ORDINALITY AS item (n, type_id, i) GROUP BY event_ids[item.n], item.type_id
    ) AS asked
    LEFT JOIN LATERAL (
      SELECT min(visible.id) AS id, count(*) AS number FROM (
        SELECT ticket_types.id FROM ticket_types
        WHERE ticket_types.event_id = asked.event_id AND archived_at IS NULL AND NOT is_hidden LIMIT 2
      ) AS visible
    ) AS only_type ON asked.type_id IS NULL
    LEFT JOIN LATERAL (
      SELECT * FROM ticket_types
      WHERE ticket_types.id = coalesce(asked.type_id, only_type.id) AND archived_at IS NULL OFFSET 0
    ) AS type ON true
    CROSS JOIN unnest(asked.items) AS i
    LEFT JOIN LATERAL (
      SELECT codes.ticket_type_ids FROM codes WHERE codes.id = code_ids[item_ns[i]] OFFSET 0
    ) AS code ON code_ids IS NOT NULL
    ORDER BY i
  ) AS look;`;
