import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddEventSearch1763900000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('CREATE EXTENSION IF NOT EXISTS unaccent');
    // Words of any language as they are, without their accents.
    await queryRunner.query('CREATE TEXT SEARCH CONFIGURATION unaccented (COPY = simple)');
    await queryRunner.query(`
      ALTER TEXT SEARCH CONFIGURATION unaccented
      ALTER MAPPING FOR word, hword, hword_part, numword, numhword WITH unaccent, simple
    `);
    await queryRunner.query('ALTER TABLE events ADD COLUMN search tsvector');
    await queryRunner.query(`
      CREATE FUNCTION set_event_search() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        NEW.search := setweight(to_tsvector('unaccented', NEW.title), 'A')
          || setweight(to_tsvector('unaccented', coalesce(NEW.venue_address, '')), 'B')
          || setweight(to_tsvector('unaccented', NEW.description), 'C');
        RETURN NEW;
      END
      $$
    `);
    await queryRunner.query(`
      CREATE TRIGGER events_search BEFORE INSERT OR UPDATE OF title, venue_address, description, search ON events
      FOR EACH ROW EXECUTE FUNCTION set_event_search()
    `);
    await queryRunner.query('UPDATE events SET search = NULL');
    await queryRunner.query('CREATE INDEX events_search_idx ON events USING gin (search)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TRIGGER events_search ON events');
    await queryRunner.query('DROP FUNCTION set_event_search');
    await queryRunner.query('ALTER TABLE events DROP COLUMN search');
    await queryRunner.query('DROP TEXT SEARCH CONFIGURATION unaccented');
    await queryRunner.query('DROP EXTENSION unaccent');
  }
}
