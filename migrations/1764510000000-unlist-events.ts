import type { MigrationInterface, QueryRunner } from 'typeorm';

const LISTS = [
  'events_start_time_id_idx ON events (start_time, id)',
  'events_organizer_id_start_time_id_idx ON events (organizer_id, start_time, id)',
  'events_search_idx ON events USING gin (search)',
  'events_position_end_time_id_idx ON events USING gist (position, end_time, id)',
];

export class UnlistEvents1764510000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE events ADD COLUMN unlisted_at timestamptz(3)');
    // A list that walks an index meets no event that it may not show: its cost is bounded however many are unlisted.
    await this.index(queryRunner, 'unlisted_at IS NULL');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await this.index(queryRunner);
    await queryRunner.query('ALTER TABLE events DROP COLUMN unlisted_at');
  }

  private async index(queryRunner: QueryRunner, ...conditions: string[]): Promise<void> {
    for (const index of LISTS) {
      const [name] = index.split(' ', 1);
      const all = [...(index.includes('position,') ? ['position IS NOT NULL'] : []), ...conditions];
      await queryRunner.query(`DROP INDEX ${name}`);
      await queryRunner.query(`CREATE INDEX ${index} ${all.length > 0 ? `WHERE ${all.join(' AND ')}` : ''}`);
    }
  }
}
