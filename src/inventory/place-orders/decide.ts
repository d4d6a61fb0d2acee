import { PASSING_REFUSALS } from '../held-order';
import { hasDue } from './shortage';

/** Refusals that a hold which ends may turn, as a list of SQL. */
export const LIST_OF_PASSING = PASSING_REFUSALS.map((refusal) => `'${refusal}'`).join(', ');

/**
 * A part of `place_orders`: gives each order all of its places or none, in order of arrival.
 *
 * @param isOutdated SQL: whether the quota \`pool\` is no longer what it was for the need \`k\`
 */
export const decide = (isOutdated: string) => `
    -- All of an order's places or none, in order of arrival; one that does not fit holds up no other.
    k := 1;
    FOR o IN 1 .. many LOOP
      CONTINUE WHEN NOT is_open[o];
      WHILE need_ns[k] < o LOOP k := k + 1; END LOOP;
      first_k := k;
      short := NULL;
      WHILE need_ns[k] = o LOOP
        pool := array_position(pool_ids, need_quota_ids[k]);
        IF pool IS NULL OR ${isOutdated} THEN
          short := 'outdated';
        ELSIF short IS NULL AND pool_free[pool] < need_numbers[k] THEN
          short := pool_shortages[pool];
          short_quota_ids[o] := need_quota_ids[k];
        END IF;
        k := k + 1;
      END LOOP;
      IF short IS NULL AND bought_free[bought_firsts[o]] < place_numbers[o] THEN
        short := 'ticket_limit_reached';
      ELSIF short IS NULL AND user_free[user_firsts[o]] < place_numbers[o] THEN
        short := CASE WHEN user_cools_at[user_firsts[o]] IS NULL THEN 'hold_limit_reached' ELSE 'hold_cool_down' END;
        retry_after[o] := ceil(extract(epoch FROM user_cools_at[user_firsts[o]] - counted_at));
      ELSIF short IS NULL AND network_free[network_firsts[o]] < place_numbers[o] THEN
        short := 'network_hold_limit_reached';
      END IF;
      IF short IS NULL THEN
        FOR i IN first_k .. k - 1 LOOP
          pool := array_position(pool_ids, need_quota_ids[i]);
          pool_free[pool] := pool_free[pool] - need_numbers[i];
          pool_taken[pool] := pool_taken[pool] + need_numbers[i];
        END LOOP;
        IF bought_firsts[o] IS NOT NULL THEN
          bought_free[bought_firsts[o]] := bought_free[bought_firsts[o]] - place_numbers[o];
        END IF;
        IF user_firsts[o] IS NOT NULL THEN
          user_free[user_firsts[o]] := user_free[user_firsts[o]] - place_numbers[o];
        END IF;
        IF network_firsts[o] IS NOT NULL THEN
          network_free[network_firsts[o]] := network_free[network_firsts[o]] - place_numbers[o];
        END IF;
        order_ids[o] := nextval('orders_id_seq');
        need_firsts[o] := first_k;
        need_lasts[o] := k - 1;
        ticket_befores[o] := ticket_number;
        ticket_number := ticket_number + place_numbers[o];
      ELSE
        refusals[o] := short;
        -- Who releases what is due locks the quotas, so that nothing was given back since they were read.
        IF short IN (${LIST_OF_PASSING}) THEN has_due[o] := ${hasDue('o')}; END IF;
      END IF;
    END LOOP;`;
