/** A part of `place_orders`: its variables. An array has an element for each order, item, need or locked quota. */
export const VARIABLES = `
DECLARE
  many CONSTANT integer := cardinality(user_ids);
  -- Of each order.
  refusals text[];
  is_open boolean[];
  currencies text[];
  event_versions integer[];
  bought_limits integer[];
  code_ids bigint[];
  code_quota_ids bigint[];
  faults integer[];
  leasts integer[];
  mosts integer[];
  place_numbers integer[] := array_fill(0, ARRAY[many]);
  subtotals numeric[] := array_fill(0::numeric, ARRAY[many]);
  totals numeric[];
  reduced_prices text[];
  reduced bigint[];
  reduced_total numeric;
  short_quota_ids bigint[];
  has_due boolean[];
  retry_after integer[];
  order_ids bigint[];
  -- Where its items, its needs and, before them all, the tickets of others end.
  item_firsts integer[];
  item_lasts integer[];
  need_firsts integer[];
  need_lasts integer[];
  ticket_befores integer[];
  -- Of each item.
  type_ids bigint[];
  type_names text[];
  type_prices bigint[];
  event_quota_ids bigint[];
  own_quota_ids bigint[];
  item_leasts integer[];
  item_mosts integer[];
  item_refusals text[];
  is_reduced boolean[];
  -- Of each need: so many places of one quota for one order.
  need_ns integer[];
  need_quota_ids bigint[];
  need_numbers integer[];
  need_versions integer[];
  need_shortages text[];
  need_has_due boolean[];
  -- Of each locked quota.
  pool_ids bigint[];
  pool_shortages text[];
  pool_versions integer[];
  pool_free integer[];
  pool_taken integer[];
  -- Of each order: the first of the batch with the same user and event, or the same network, and what these still may have.
  user_firsts integer[];
  user_free integer[];
  user_cools_at timestamptz[];
  bought_firsts integer[];
  bought_free integer[];
  network_firsts integer[];
  network_free integer[];
  -- Of each ticket.
  ticket_ids bigint[];
  ticket_number integer := 0;
  has_prices boolean;
  o integer;
  k integer;
  first_k integer;
  pool integer;
  short text;
  counted_at timestamptz;
  placed_at timestamptz(3);
  hold CONSTANT interval := make_interval(secs => hold_seconds);
  cool_down CONSTANT interval := make_interval(secs => cool_down_seconds);
  asked_at CONSTANT timestamptz := now();`;
