import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Counts the places of orders instead of tickets against the limits of users, networks and events. */
export class CountPlacesOfOrders1765000150000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP FUNCTION count_holds');
    await queryRunner.query('DROP FUNCTION count_network_holds');
    await createFunctions(queryRunner);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const name of ['count_held_places', 'count_network_places', 'count_bought_places']) {
      await queryRunner.query(`DROP FUNCTION ${name}`);
    }
    await createFunctionsOfTickets(queryRunner);
  }
}

async function createFunctions(queryRunner: QueryRunner): Promise<void> {
  // VOLATILE: sees what others committed up to its call, so that a reservation that waited for the quotas counts the
  // holds that were made while it waited. An order that ended is counted by when it was due, also where it was cancelled
  // before, so that no time of cancelling needs to be kept; most_ended is null where they don't count. Planned once: left
  // to itself, PostgreSQL plans anew for each call's number of holders, which takes longer than to count.
  await queryRunner.query(`
    CREATE FUNCTION count_held_places(user_ids bigint[], event_ids bigint[], most_ended integer, cool_down_seconds integer)
    RETURNS TABLE (user_id bigint, event_id bigint, live integer, cools_at timestamptz)
    LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
    DECLARE
      at CONSTANT timestamptz := clock_timestamp();
      since CONSTANT timestamptz := at - make_interval(secs => cool_down_seconds);
    BEGIN
      RETURN QUERY
        SELECT holder.user_id, holder.event_id, holds.live::int,
          CASE WHEN holds.unpaid - holds.live >= most_ended THEN (
            -- When the oldest of them but so many leaves the window, another may end.
            SELECT ended.expires_at FROM (
              SELECT orders.expires_at, sum(orders.places) OVER (ORDER BY orders.expires_at DESC, orders.id DESC) AS places
              FROM orders
              WHERE orders.user_id = holder.user_id AND orders.event_id = holder.event_id
                AND orders.status NOT LIKE 'paid' AND orders.expires_at > since
                AND NOT (orders.status LIKE 'held' AND orders.expires_at > at)
            ) AS ended
            WHERE ended.places >= most_ended ORDER BY ended.expires_at DESC LIMIT 1
          ) + (at - since) END
        FROM (SELECT DISTINCT * FROM unnest(user_ids, event_ids) AS pair (user_id, event_id)) AS holder,
        LATERAL (
          SELECT coalesce(sum(orders.places), 0) AS unpaid,
            coalesce(sum(orders.places) FILTER (WHERE orders.status LIKE 'held' AND orders.expires_at > at), 0) AS live
          FROM orders
          WHERE orders.user_id = holder.user_id AND orders.event_id = holder.event_id
            AND orders.status NOT LIKE 'paid' AND orders.expires_at > since
        ) AS holds;
    END
    $$
  `);
  // An order has a network only while it is held.
  await queryRunner.query(`
    CREATE FUNCTION count_network_places(event_ids bigint[], networks bigint[])
    RETURNS TABLE (event_id bigint, network bigint, live integer)
    LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
    DECLARE
      at CONSTANT timestamptz := clock_timestamp();
    BEGIN
      RETURN QUERY
        SELECT crowd.event_id, crowd.network, (
          SELECT coalesce(sum(orders.places), 0) FROM orders
          WHERE orders.event_id = crowd.event_id AND orders.network = crowd.network AND orders.expires_at > at
        )::int
        FROM (SELECT DISTINCT * FROM unnest(event_ids, networks) AS pair (event_id, network)) AS crowd
        WHERE crowd.network IS NOT NULL;
    END
    $$
  `);
  // Live holds and paid tickets together, of which an event may allow a user so many.
  await queryRunner.query(`
    CREATE FUNCTION count_bought_places(user_ids bigint[], event_ids bigint[])
    RETURNS TABLE (user_id bigint, event_id bigint, places integer)
    LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
    DECLARE
      at CONSTANT timestamptz := clock_timestamp();
    BEGIN
      RETURN QUERY
        SELECT holder.user_id, holder.event_id, (
          coalesce((
            SELECT sum(orders.places) FROM orders
            WHERE orders.user_id = holder.user_id AND orders.event_id = holder.event_id
              AND orders.status NOT LIKE 'paid' AND orders.expires_at > at AND orders.status LIKE 'held'
          ), 0) + (
            SELECT count(*) FROM orders JOIN tickets ON tickets.order_id = orders.id
            WHERE orders.user_id = holder.user_id AND orders.event_id = holder.event_id AND orders.status LIKE 'paid'
              AND (tickets.fate IS NULL OR tickets.fate = 'blocked')
          )
        )::int
        FROM (SELECT DISTINCT * FROM unnest(user_ids, event_ids) AS pair (user_id, event_id)) AS holder;
    END
    $$
  `);
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
