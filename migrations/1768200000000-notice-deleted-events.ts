import type { MigrationInterface, QueryRunner } from 'typeorm';
import { placeOrdersFunction } from '../src/inventory/place-orders/place-orders.function';

/** An order whose event is deleted while it is placed is looked up again, instead of being told "sold out". */
export class NoticeDeletedEvents1768200000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(placeOrdersFunction());
  }

  async down(): Promise<void> {
    // `place_orders` stays: it reads and writes what the one before it did.
  }
}
