import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeepKeysInTheBatch1764450000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE idempotency_keys
        ADD COLUMN outcome jsonb,
        ALTER COLUMN answer DROP NOT NULL,
        ADD CONSTRAINT idempotency_keys_answer_check CHECK ((answer IS NULL) <> (outcome IS NULL))
    `);

    // Of the requests of one batch, numbered by ns: which may be worked off here and now. A request has an id for each
    // secret, and comes with all of them. The locks are only tried, so that it never waits, and last as long as the
    // statement. VOLATILE: what is stored is looked at after they are taken, with a snapshot of that moment.
    await queryRunner.query(`
      CREATE FUNCTION claim_keys(ns integer[], ids bytea[], fingerprints bytea[])
      RETURNS TABLE (n integer, verdict text, outcome jsonb, answer bytea, id bytea)
      LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
      DECLARE
        is_free CONSTANT boolean[] := ARRAY(
          SELECT pg_try_advisory_xact_lock(('x' || encode(substr(key.id, 1, 8), 'hex'))::bit(64)::bigint)
          FROM unnest(ids) WITH ORDINALITY AS key (id, place) ORDER BY place
        );
      BEGIN
        RETURN QUERY
          SELECT DISTINCT ON (key.n) key.n, CASE
              WHEN NOT is_free[key.place] THEN 'idempotency_in_progress'
              WHEN stored.fingerprint = key.fingerprint THEN 'replay'
              WHEN stored.fingerprint <> key.fingerprint THEN 'idempotency_key_reused'
              WHEN key.rank > 1 THEN 'idempotency_in_progress'
            END AS verdict, stored.outcome, stored.answer, key.id
          FROM (
            SELECT every.*, row_number() OVER (PARTITION BY every.id ORDER BY every.n) AS rank
            FROM unnest(ns, ids, fingerprints) WITH ORDINALITY AS every (n, id, fingerprint, place)
          ) AS key
          LEFT JOIN LATERAL (
            SELECT idempotency_keys.fingerprint, idempotency_keys.outcome, idempotency_keys.answer
            FROM idempotency_keys
            WHERE idempotency_keys.id = key.id AND idempotency_keys.expires_at > now()
            OFFSET 0
          ) AS stored ON true
          -- What keeps a request from being worked off comes before what does not.
          ORDER BY key.n, is_free[key.place], stored.fingerprint IS NULL, key.rank DESC;
      END
      $$
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP FUNCTION claim_keys');
    // An older build could not read them.
    await queryRunner.query('DELETE FROM idempotency_keys WHERE answer IS NULL');
    await queryRunner.query(`
      ALTER TABLE idempotency_keys
        DROP CONSTRAINT idempotency_keys_answer_check,
        ALTER COLUMN answer SET NOT NULL,
        DROP COLUMN outcome
    `);
  }
}
