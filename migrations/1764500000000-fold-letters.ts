import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Searches fold letters by a collation of their own: the database's locale has no say. */
export class FoldLetters1764500000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // PostgreSQL brings its own letters from version 17 on; before, ICU or the system has them.
    await queryRunner.query(`
      DO $$
      DECLARE
        definition text;
      BEGIN
        FOREACH definition IN ARRAY ARRAY[
          'provider = builtin, locale = ''C.UTF-8''', 'provider = icu, locale = ''und''', 'provider = libc, locale = ''C.UTF-8'''
        ] LOOP
          BEGIN
            EXECUTE 'CREATE COLLATION letters (' || definition || ')';
            RETURN;
          EXCEPTION WHEN OTHERS THEN
            NULL;
          END;
        END LOOP;
        RAISE 'This PostgreSQL folds no letters beyond ASCII: use version 17 or newer, one with ICU, or a system with the locale C.UTF-8';
      END
      $$
    `);
    // Lower case alone, where a language would see more: the dotted I of Turkish, the sigma at the end of a Greek word.
    await queryRunner.query(`
      CREATE FUNCTION fold_letters(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
      RETURN replace(lower(replace($1, 'İ', 'i') COLLATE letters), 'ς', 'σ')
    `);
    await queryRunner.query(setEventSearch('fold_letters'));
    await queryRunner.query(
      `UPDATE events SET search = NULL WHERE search <> ${searchOf('events', 'fold_letters')}`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(setEventSearch(''));
    await queryRunner.query(`UPDATE events SET search = NULL WHERE search <> ${searchOf('events', '')}`);
    await queryRunner.query('DROP FUNCTION fold_letters');
    await queryRunner.query('DROP COLLATION letters');
  }
}

const searchOf = (row: string, fold: string) => `(
  setweight(to_tsvector('unaccented', ${fold}(words_of(${row}.title))), 'A')
    || setweight(to_tsvector('unaccented', ${fold}(words_of(coalesce(${row}.venue_address, '')))), 'B')
    || setweight(to_tsvector('unaccented', ${fold}(words_of(${row}.description))), 'C')
)`;

const setEventSearch = (fold: string) => `
  CREATE OR REPLACE FUNCTION set_event_search() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    NEW.search := ${searchOf('NEW', fold)};
    RETURN NEW;
  END
  $$`;
