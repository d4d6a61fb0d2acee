import type { MigrationInterface, QueryRunner } from 'typeorm';
import { placeOrdersFunction } from '../src/inventory/place-orders/place-orders.function';

/** Places orders, and counts their places against the limits of users, networks and events. */
export class PlaceOrders1765000150000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP FUNCTION count_holds');
    await queryRunner.query('DROP FUNCTION count_network_holds');
    await queryRunner.query(placeOrdersFunction());
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP FUNCTION place_orders');
    await createFunctionsOfTickets(queryRunner);
  }
}

async function createFunctionsOfTickets(queryRunner: QueryRunner): Promise<void> {
  // VOLATILE, as the functions of today. A hold that ended is counted by when it was due, also where it was cancelled
  // before, so that no time of cancelling needs to be kept; most_ended is null where they don't count. Planned once:
  // left to itself, PostgreSQL plans anew for each call's number of holders, which takes longer than to count.
  await queryRunner.query(`
    CREATE FUNCTION count_holds(user_ids bigint[], event_ids bigint[], most_ended integer, cool_down_seconds integer)
    RETURNS TABLE (user_id bigint, event_id bigint, live bigint, cools_at timestamptz)
    LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
    DECLARE
      at CONSTANT timestamptz := clock_timestamp();
      since CONSTANT timestamptz := at - make_interval(secs => cool_down_seconds);
    BEGIN
      RETURN QUERY
        SELECT holder.user_id, holder.event_id, holds.live,
          CASE WHEN holds.unpaid - holds.live >= most_ended THEN (
            -- When the oldest of them but so many leaves the window, one more may end.
            SELECT tickets.expires_at FROM tickets
            WHERE tickets.user_id = holder.user_id AND tickets.event_id = holder.event_id
              AND tickets.status NOT LIKE 'paid' AND tickets.expires_at > since
              AND NOT (tickets.status LIKE 'reserved' AND tickets.expires_at > at)
            ORDER BY tickets.expires_at DESC
            OFFSET most_ended - 1 LIMIT 1
          ) + (at - since) END
        FROM (SELECT DISTINCT * FROM unnest(user_ids, event_ids) AS pair (user_id, event_id)) AS holder,
        LATERAL (
          SELECT count(*) AS unpaid,
            count(*) FILTER (WHERE tickets.status LIKE 'reserved' AND tickets.expires_at > at) AS live
          FROM tickets
          WHERE tickets.user_id = holder.user_id AND tickets.event_id = holder.event_id
            AND tickets.status NOT LIKE 'paid' AND tickets.expires_at > since
        ) AS holds;
    END
    $$
  `);
  await queryRunner.query(`
    CREATE FUNCTION count_network_holds(event_ids bigint[], networks bigint[])
    RETURNS TABLE (event_id bigint, network bigint, live bigint)
    LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
    DECLARE
      at CONSTANT timestamptz := clock_timestamp();
    BEGIN
      RETURN QUERY
        SELECT crowd.event_id, crowd.network, (
          SELECT count(*) FROM tickets
          WHERE tickets.event_id = crowd.event_id AND tickets.network = crowd.network AND tickets.expires_at > at
        )
        FROM (SELECT DISTINCT * FROM unnest(event_ids, networks) AS pair (event_id, network)) AS crowd
        WHERE crowd.network IS NOT NULL;
    END
    $$
  `);
}
