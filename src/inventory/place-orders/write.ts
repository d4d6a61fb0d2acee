import { MAX_MONEY } from '../../http/fields';
import { LIST_OF_PASSING } from './decide';

/** A part of `place_orders`: moves the counters, writes orders and tickets, and answers. */
export const WRITE = `
  placed_at := clock_timestamp();
  IF pool_taken IS NOT NULL THEN
    UPDATE quotas SET held = held + taken.number
    FROM unnest(pool_ids, pool_taken) AS taken (quota_id, number)
    WHERE quotas.id = taken.quota_id AND taken.number > 0;
  END IF;

  RETURN QUERY
  WITH line AS MATERIALIZED (
    SELECT item.n, array_agg(item.type_id ORDER BY item.at) AS type_ids, array_agg(item.name ORDER BY item.at) AS names,
      array_agg(item.number ORDER BY item.at) AS numbers, array_agg(item.price ORDER BY item.at) AS prices
    FROM unnest(item_ns, item_ats, type_ids, type_names, item_numbers, type_prices)
      AS item (n, at, type_id, name, number, price)
    WHERE order_ids[item.n] > 0
    GROUP BY item.n
  ), taken AS MATERIALIZED (
    SELECT need.n, array_agg(need.quota_id ORDER BY need.quota_id) AS quota_ids,
      array_agg(need.number ORDER BY need.quota_id) AS numbers
    FROM unnest(need_ns, need_quota_ids, need_numbers) AS need (n, quota_id, number)
    WHERE order_ids[need.n] > 0
    GROUP BY need.n
  ), held AS MATERIALIZED (
    SELECT asked.*, line.type_ids, line.names, line.numbers, line.prices, taken.quota_ids, taken.numbers AS quota_numbers
    FROM unnest(order_ids, contact_names, contact_emails, metadata, networks, code_ids, reduced_prices)
      WITH ORDINALITY AS asked (id, contact_name, contact_email, metadata, network, code_id, reduced_prices, n)
    JOIN line ON line.n = asked.n JOIN taken ON taken.n = asked.n
  ), placed AS (
    INSERT INTO orders (id, user_id, event_id, status, places, created_at, expires_at, total, discount, code_id, type_ids,
      numbers, unit_prices, quota_ids, quota_numbers, currency, contact_name, contact_email, metadata, network)
    SELECT held.id, user_ids[held.n], event_ids[held.n], 'held', place_numbers[held.n], placed_at, placed_at + hold, totals[held.n],
      subtotals[held.n] - totals[held.n], held.code_id, held.type_ids, held.numbers,
      CASE WHEN subtotals[held.n] > 0 THEN held.prices END, held.quota_ids, held.quota_numbers, currencies[held.n],
      held.contact_name, held.contact_email, held.metadata::jsonb, held.network
    FROM held ORDER BY held.n
  ), ticket AS MATERIALIZED (
    SELECT nextval('tickets_id_seq') AS id, single.*
    FROM (
      SELECT item.n, item.type_id, item.attendees::jsonb -> (i - 1) AS attendee,
        coalesce((reduced_prices[item.n]::bigint[])[item.before + i], item.price) AS price
      FROM unnest(item_ns, item_ats, item_befores, type_ids, type_prices, item_numbers, item_attendees)
        AS item (n, at, before, type_id, price, number, attendees), generate_series(1, item.number) AS i
      WHERE order_ids[item.n] > 0
      ORDER BY item.n, item.at, i
    ) AS single
  ), issued AS (
    INSERT INTO tickets (id, order_id, ticket_type_id, price, attendee_name, attendee_email)
    SELECT ticket.id, order_ids[ticket.n], ticket.type_id, ticket.price, ticket.attendee ->> 'name', ticket.attendee ->> 'email'
    FROM ticket
  ), ticket_ids AS MATERIALIZED (
    SELECT ticket.n, array_agg(ticket.id ORDER BY ticket.id) AS ids FROM ticket GROUP BY ticket.n
  )
  SELECT asked.n::integer, asked.refusal, coalesce(faults[asked.n], (
      SELECT min(item.at) FROM unnest(item_ns, item_ats, own_quota_ids) AS item (n, at, quota_id)
      WHERE asked.refusal = 'ticket_type_sold_out' AND item.n = asked.n AND item.quota_id = short_quota_ids[asked.n]
    )), leasts[asked.n], mosts[asked.n], retry_after[asked.n], held.id,
    user_ids[asked.n], event_ids[asked.n], 'held', CASE WHEN held.id > 0 THEN placed_at END,
    CASE WHEN held.id > 0 THEN placed_at + hold END, NULL::timestamptz, place_numbers[asked.n],
    least(subtotals[asked.n], ${MAX_MONEY})::bigint, least(totals[asked.n], ${MAX_MONEY})::bigint, currencies[asked.n]::char(3),
    array_to_json(held.type_ids), array_to_json(held.names), array_to_json(held.numbers), array_to_json(held.prices),
    array_to_json(ticket_ids.ids), array_to_json(held.reduced_prices::bigint[]),
    CASE WHEN asked.refusal IN (${LIST_OF_PASSING}) AND NOT has_due[asked.n] THEN extract(epoch FROM asked_at)::float8 * 1000 END
  FROM unnest(refusals) WITH ORDINALITY AS asked (refusal, n)
  LEFT JOIN held ON held.n = asked.n LEFT JOIN ticket_ids ON ticket_ids.n = asked.n
  ORDER BY asked.n;`;
