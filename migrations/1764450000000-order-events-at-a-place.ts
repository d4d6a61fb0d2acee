import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OrderEventsAtAPlace1764450000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // With the id the index knows one order for all events at a place; without it those that end at one time would all
    // have to be read.
    await queryRunner.query(`
      CREATE INDEX events_position_end_time_id_idx ON events USING gist (position, end_time, id)
      WHERE position IS NOT NULL
    `);
    await queryRunner.query('DROP INDEX events_position_end_time_idx');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE INDEX events_position_end_time_idx ON events USING gist (position, end_time) WHERE position IS NOT NULL
    `);
    await queryRunner.query('DROP INDEX events_position_end_time_id_idx');
  }
}
