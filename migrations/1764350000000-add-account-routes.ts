import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddAccountRoutes1764350000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // Null for the sessions that are older than the column: filling it in would rewrite the table under its lock.
    await queryRunner.query('ALTER TABLE sessions ADD COLUMN last_used_at timestamptz(3)');
    await queryRunner.query('ALTER TABLE sessions ALTER COLUMN last_used_at SET DEFAULT now()');
    await queryRunner.query(
      'CREATE INDEX sessions_user_id_expires_at_id_idx ON sessions (user_id, expires_at, id)',
    );
    await queryRunner.query('DROP INDEX sessions_user_id_idx');
    await queryRunner.query(
      'CREATE INDEX events_organizer_id_start_time_id_idx ON events (organizer_id, start_time, id)',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX events_organizer_id_start_time_id_idx');
    await queryRunner.query('CREATE INDEX sessions_user_id_idx ON sessions (user_id)');
    await queryRunner.query('DROP INDEX sessions_user_id_expires_at_id_idx');
    await queryRunner.query('ALTER TABLE sessions DROP COLUMN last_used_at');
  }
}
