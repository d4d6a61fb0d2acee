import { MAX_MONEY } from '../../http/fields';
import { LIST_OF_PASSING } from './decide';

/** SQL: what the items of the order `o` have in an array that has an element for each item, as JSON. */
const ofItems = (array: string) =>
  `CASE WHEN order_ids[o] > 0 THEN array_to_json(${array}[item_firsts[o]:item_lasts[o]]) END`;

/** A part of `place_orders`: moves the counters, writes orders and tickets, and answers. */
export const WRITE = `
  IF ticket_number > 0 THEN
    UPDATE quotas SET held = held + pool_taken[array_position(pool_ids, quotas.id)]
    WHERE quotas.id = ANY (pool_ids) AND pool_taken[array_position(pool_ids, quotas.id)] > 0;

    placed_at := clock_timestamp();
    INSERT INTO orders (id, user_id, event_id, status, places, created_at, expires_at, total, discount, code_id, type_ids,
      numbers, unit_prices, quota_ids, quota_numbers, currency, contact_name, contact_email, metadata, network)
    SELECT order_ids[o], user_ids[o], event_ids[o], 'held', place_numbers[o], placed_at, placed_at + hold, totals[o],
      subtotals[o] - totals[o], code_ids[o], type_ids[item_firsts[o]:item_lasts[o]], item_numbers[item_firsts[o]:item_lasts[o]],
      CASE WHEN subtotals[o] > 0 THEN type_prices[item_firsts[o]:item_lasts[o]] END, need_quota_ids[need_firsts[o]:need_lasts[o]],
      need_numbers[need_firsts[o]:need_lasts[o]], currencies[o], contact_names[o], contact_emails[o], metadata[o]::jsonb, networks[o]
    FROM generate_series(1, many) AS asked (o)
    WHERE order_ids[o] > 0;

    ticket_ids := ARRAY(SELECT nextval('tickets_id_seq') FROM generate_series(1, ticket_number));
    INSERT INTO tickets (id, order_id, ticket_type_id, price, attendee_name, attendee_email)
    SELECT ticket_ids[ticket_befores[item_ns[i]] + item_befores[i] + nth], order_ids[item_ns[i]], type_ids[i],
      coalesce((reduced_prices[item_ns[i]]::bigint[])[item_befores[i] + nth], type_prices[i]),
      item_attendees[i]::jsonb -> (nth - 1) ->> 'name', item_attendees[i]::jsonb -> (nth - 1) ->> 'email'
    FROM generate_series(1, cardinality(item_ns)) AS item (i), generate_series(1, item_numbers[i]) AS ticket (nth)
    WHERE order_ids[item_ns[i]] > 0;
  END IF;

  RETURN QUERY
  SELECT o, refusals[o], CASE WHEN refusals[o] = 'ticket_type_sold_out' THEN (
      SELECT min(item_ats[i]) FROM generate_series(item_firsts[o], item_lasts[o]) AS item (i)
      WHERE own_quota_ids[i] = short_quota_ids[o]
    ) ELSE faults[o] END, leasts[o], mosts[o], retry_after[o], order_ids[o], user_ids[o], event_ids[o], 'held',
    CASE WHEN order_ids[o] > 0 THEN placed_at END, CASE WHEN order_ids[o] > 0 THEN placed_at + hold END, NULL::timestamptz,
    place_numbers[o], least(subtotals[o], ${MAX_MONEY})::bigint, least(totals[o], ${MAX_MONEY})::bigint, currencies[o]::char(3),
    ${ofItems('type_ids')}, ${ofItems('type_names')}, ${ofItems('item_numbers')}, ${ofItems('type_prices')},
    CASE WHEN order_ids[o] > 0 THEN array_to_json(ticket_ids[ticket_befores[o] + 1:ticket_befores[o] + place_numbers[o]]) END,
    array_to_json(reduced_prices[o]::bigint[]),
    CASE WHEN refusals[o] IN (${LIST_OF_PASSING}) AND NOT has_due[o] THEN extract(epoch FROM asked_at)::float8 * 1000 END
  FROM generate_series(1, many) AS asked (o);`;
