import { MAX_MONEY } from '../../http/fields';

/**
 * A part of `place_orders`: adds up the places and the price of each order, takes off what its code does (`price_tickets`,
 * made by a migration), and refuses it for the first of its items at fault.
 */
export const PRICE_ORDERS = `
  FOR i IN 1 .. cardinality(item_ns) LOOP
    o := item_ns[i];
    item_firsts[o] := coalesce(item_firsts[o], i);
    item_lasts[o] := i;
    place_numbers[o] := place_numbers[o] + item_numbers[i];
    IF has_prices THEN subtotals[o] := subtotals[o] + type_prices[i]::numeric * item_numbers[i]; END IF;
    IF item_refusals[i] IS NOT NULL AND refusals[o] IS NULL THEN
      refusals[o] := item_refusals[i];
      faults[o] := item_ats[i];
      leasts[o] := item_leasts[i];
      mosts[o] := item_mosts[i];
    END IF;
  END LOOP;
  totals := subtotals;
  IF code_ids IS NOT NULL OR has_prices THEN
    FOR o IN 1 .. many LOOP
      IF refusals[o] IS NULL AND codes[o] IS NOT NULL AND code_ids[o] IS NULL THEN
        refusals[o] := 'code_not_valid';
      ELSIF refusals[o] IS NULL AND subtotals[o] > ${MAX_MONEY} THEN
        refusals[o] := 'order_too_large';
      ELSIF refusals[o] IS NULL AND code_ids[o] IS NOT NULL THEN
        SELECT reduced.prices, (SELECT sum(price) FROM unnest(reduced.prices) AS price)
        INTO reduced, reduced_total
        FROM (
          SELECT price_tickets(array_agg(item.price ORDER BY item.at, i), array_agg(item.is_reduced ORDER BY item.at, i),
            codes.percent_off, codes.amount_off) AS prices
          FROM codes, unnest(item_ns, item_ats, item_numbers, type_prices, is_reduced) AS item (n, at, number, price, is_reduced),
            generate_series(1, item.number) AS i
          WHERE codes.id = code_ids[o] AND num_nonnulls(codes.percent_off, codes.amount_off) > 0 AND item.n = o
          GROUP BY codes.percent_off, codes.amount_off
        ) AS reduced;
        reduced_prices[o] := reduced::text;
        totals[o] := coalesce(reduced_total, subtotals[o]);
      END IF;
    END LOOP;
  END IF;
  is_open := ARRAY(SELECT r IS NULL FROM unnest(refusals) WITH ORDINALITY AS refused (r, n) ORDER BY refused.n);`;
