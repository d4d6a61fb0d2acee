import type { MigrationInterface, QueryRunner } from 'typeorm';

const LISTS = [
  'events_start_time_id_idx ON events (start_time, id)',
  'events_search_idx ON events USING gin (search)',
  'events_position_end_time_id_idx ON events USING gist (position, end_time, id)',
];

export class AddEventStatus1764600000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE events
        ADD COLUMN status varchar(9) NOT NULL DEFAULT 'published',
        ADD COLUMN currency varchar(3),
        ADD COLUMN timezone varchar(64) NOT NULL DEFAULT 'UTC',
        ADD COLUMN max_tickets_per_user integer,
        ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN version integer NOT NULL DEFAULT 1,
        ADD CONSTRAINT events_status_check CHECK (status IN ('draft', 'published', 'cancelled')),
        ADD CONSTRAINT events_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
        ADD CONSTRAINT events_max_tickets_per_user_check CHECK (max_tickets_per_user > 0)
    `);
    // Not compressed: the size that is stored is then the size that is sent, and is known without reading it.
    await queryRunner.query('ALTER TABLE events ALTER COLUMN metadata SET STORAGE EXTERNAL');

    // Public lists walk nothing but what they show: however many drafts there are, a page costs the same.
    await this.index(queryRunner, `status = 'published' AND unlisted_at IS NULL`);
    // Beside the index of their own list, which has their drafts.
    await queryRunner.query(`
      CREATE INDEX events_listed_organizer_id_start_time_id_idx ON events (organizer_id, start_time, id)
      WHERE status = 'published' AND unlisted_at IS NULL
    `);

    // Whether a place was ever taken is a fact of the same row as the counters, so that their lock decides on it, and so
    // that no index on all tickets has to be kept for it.
    await queryRunner.query('ALTER TABLE inventory ADD COLUMN was_taken boolean NOT NULL DEFAULT false');
    await queryRunner.query(`
      UPDATE inventory SET was_taken = true WHERE event_id IN (SELECT event_id FROM tickets)
    `);
    await queryRunner.query(`
      CREATE OR REPLACE FUNCTION take_seats(event_ids bigint[], numbers integer[]) RETURNS void
      LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
      BEGIN
        UPDATE inventory SET held = held + taken.number, was_taken = true
        FROM unnest(event_ids, numbers) AS taken (event_id, number)
        WHERE inventory.event_id = taken.event_id;
      END
      $$
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE OR REPLACE FUNCTION take_seats(event_ids bigint[], numbers integer[]) RETURNS void
      LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
      BEGIN
        UPDATE inventory SET held = held + taken.number
        FROM unnest(event_ids, numbers) AS taken (event_id, number)
        WHERE inventory.event_id = taken.event_id;
      END
      $$
    `);
    // The build before knows neither drafts nor cancelled events. It would sell their places.
    await queryRunner.query(`
      UPDATE inventory SET capacity = held + sold
      WHERE event_id IN (SELECT id FROM events WHERE status <> 'published')
    `);
    await queryRunner.query('ALTER TABLE inventory DROP COLUMN was_taken');
    await queryRunner.query('DROP INDEX events_listed_organizer_id_start_time_id_idx');
    await this.index(queryRunner, 'unlisted_at IS NULL');
    await queryRunner.query(`
      ALTER TABLE events
        DROP COLUMN version,
        DROP COLUMN metadata,
        DROP COLUMN max_tickets_per_user,
        DROP COLUMN timezone,
        DROP COLUMN currency,
        DROP COLUMN status
    `);
  }

  /** Makes the indexes of public lists anew. */
  private async index(queryRunner: QueryRunner, isListed: string): Promise<void> {
    for (const index of LISTS) {
      const [name] = index.split(' ', 1);
      const hasPosition = index.includes('position,') ? 'position IS NOT NULL AND ' : '';
      await queryRunner.query(`DROP INDEX ${name}`);
      await queryRunner.query(`CREATE INDEX ${index} WHERE ${hasPosition}${isListed}`);
    }
  }
}
