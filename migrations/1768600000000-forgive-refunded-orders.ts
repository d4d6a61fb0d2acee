import type { MigrationInterface, QueryRunner } from 'typeorm';
import { placeOrdersFunction } from '../src/inventory/place-orders/place-orders.function';

/** Who paid and got their money back has let nothing go: only holds that ended unpaid make a user wait. */
export class ForgiveRefundedOrders1768600000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(placeOrdersFunction());
  }

  async down(): Promise<void> {
    // `place_orders` stays: it reads and writes what the one before it did.
  }
}
