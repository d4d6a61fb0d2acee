import type { MigrationInterface, QueryRunner } from 'typeorm';
import { placeOrdersFunction } from '../src/inventory/place-orders/place-orders.function';

/**
 * Where there are no statistics yet, an index of a part of a table looks to PostgreSQL as good as the primary key, and it
 * reads that index from end to end for one row.
 */
export class FindRowsByKey1768000000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(placeOrdersFunction());
    await queryRunner.query('DROP INDEX ticket_types_event_idx');
    await queryRunner.query('CREATE INDEX ticket_types_event_idx ON ticket_types (event_id, position, id)');
    await queryRunner.query('DROP INDEX devices_seen_at_idx');
    await queryRunner.query('CREATE INDEX devices_seen_at_idx ON devices (seen_at)');
    await queryRunner.query(
      claimKeys(`(SELECT * FROM idempotency_keys WHERE idempotency_keys.id = key.id OFFSET 0)`),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(claimKeys('idempotency_keys'));
    await queryRunner.query('DROP INDEX devices_seen_at_idx');
    await queryRunner.query('CREATE INDEX devices_seen_at_idx ON devices (seen_at) WHERE revoked_at IS NULL');
    await queryRunner.query('DROP INDEX ticket_types_event_idx');
    await queryRunner.query(
      'CREATE INDEX ticket_types_event_idx ON ticket_types (event_id, position, id) WHERE archived_at IS NULL',
    );
  }
}

/** As it was first made, but for where it looks for a stored key. */
const claimKeys = (keys: string) => `
      CREATE OR REPLACE FUNCTION claim_keys(ns integer[], ids bytea[], fingerprints bytea[])
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
            SELECT stored.fingerprint, stored.outcome, stored.answer
            FROM ${keys} AS stored
            WHERE stored.id = key.id AND stored.expires_at > now()
            OFFSET 0
          ) AS stored ON true
          -- What keeps a request from being worked off comes before what does not.
          ORDER BY key.n, is_free[key.place], stored.fingerprint IS NULL, key.rank DESC;
      END
      $$
    `;
