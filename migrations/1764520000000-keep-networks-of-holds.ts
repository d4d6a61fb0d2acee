import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeepNetworksOfHolds1764520000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE tickets ADD COLUMN network bigint');
    // A ticket has a network only while it is held. The condition names no status, so that the planner takes none of the
    // other indexes of holds for this one.
    await queryRunner.query(
      'CREATE INDEX tickets_network_idx ON tickets (event_id, network, expires_at) WHERE network IS NOT NULL',
    );
    // VOLATILE and planned once, as count_holds.
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

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP FUNCTION count_network_holds');
    await queryRunner.query('ALTER TABLE tickets DROP COLUMN network');
  }
}
