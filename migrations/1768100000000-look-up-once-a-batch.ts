import type { MigrationInterface, QueryRunner } from 'typeorm';
import { placeOrdersFunction } from '../src/inventory/place-orders/place-orders.function';

/**
 * Orders of a batch that want the same event, type or quota share one look at it. Counters move without a join: planned
 * beside one event, it compared each counter with each that was to move.
 */
export class LookUpOnceABatch1768100000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(placeOrdersFunction());
    await queryRunner.query(
      movePlaces(
        `UPDATE quotas SET held = greatest(held - fewer_held[array_position(quota_ids, id)], 0),
        sold = sold + more_sold[array_position(quota_ids, id)]
      WHERE id = ANY (quota_ids)`,
        'SET enable_seqscan = off',
      ),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    // `place_orders` stays: it reads and writes what the one before it did.
    await queryRunner.query(
      movePlaces(`UPDATE quotas SET held = greatest(held - moved.fewer_held, 0), sold = sold + moved.more_sold
      FROM unnest(quota_ids, fewer_held, more_sold) AS moved (quota_id, fewer_held, more_sold)
      WHERE quotas.id = moved.quota_id`),
    );
  }
}

const movePlaces = (update: string, settings = '') => `
  CREATE OR REPLACE FUNCTION move_places(quota_ids bigint[], fewer_held integer[], more_sold integer[]) RETURNS void
  LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan ${settings} AS $$
    BEGIN
      ${update};
    END
    $$`;
