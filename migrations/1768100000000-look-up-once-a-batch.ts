import type { MigrationInterface, QueryRunner } from 'typeorm';
import { placeOrdersFunction } from '../src/inventory/place-orders/place-orders.function';

/** Orders of a batch that want the same event, type or quota share one look at it. */
export class LookUpOnceABatch1768100000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(placeOrdersFunction());
  }

  down(): Promise<void> {
    // The function stays: it reads and writes what the one before it did.
    return Promise.resolve();
  }
}
