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
    // PostgreSQL's parser takes AC/DC for a file, blink-182 for a word and a negative number, and in some locales a quote
    // or an emoji for a letter; people search for words. The ranges mean the same in every locale.
    await queryRunner.query(String.raw`
      CREATE FUNCTION words_of(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
      RETURN regexp_replace(
        $1,
        '[\u0001-/:-@[-\`{-\u00A9\u00AB-\u00B4\u00B6-\u00B8\u00BB\u00BF\u00D7\u00F7\u2000-\u206F\u20A0-\u20CF'
          '\u2190-\u245F\u2500-\u2BFF\u3000-\u3004\u3008-\u3020\u3030\uFE10-\uFE19\uFE30-\uFE6B\uFF01-\uFF0F'
          '\uFF1A-\uFF20\uFF3B-\uFF40\uFF5B-\uFF65\U0001F000-\U0001F0FF\U0001F300-\U0001FAFF]+',
        ' ',
        'g'
      )
    `);
    await queryRunner.query('ALTER TABLE events ADD COLUMN search tsvector');
    await queryRunner.query(`
      CREATE FUNCTION set_event_search() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        NEW.search := setweight(to_tsvector('unaccented', words_of(NEW.title)), 'A')
          || setweight(to_tsvector('unaccented', words_of(coalesce(NEW.venue_address, ''))), 'B')
          || setweight(to_tsvector('unaccented', words_of(NEW.description)), 'C');
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
    await queryRunner.query('DROP FUNCTION words_of');
    await queryRunner.query('DROP TEXT SEARCH CONFIGURATION unaccented');
    await queryRunner.query('DROP EXTENSION unaccent');
  }
}
