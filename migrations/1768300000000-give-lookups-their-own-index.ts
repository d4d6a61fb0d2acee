import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CHECK_IN_FUNCTION } from '../src/check-in/check-in.function';
import { placeOrdersFunction } from '../src/inventory/place-orders/place-orders.function';

/**
 * While events have an order each, the index of an event's orders looks to PostgreSQL as good as the one of what a user has
 * of the event. A session that planned so read all orders of the event for each order that was placed. Now only the
 * wanted index fits: no other begins with `event_id + 0`.
 */
export class GiveLookupsTheirOwnIndex1768300000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await makeAnew(queryRunner, '(user_id + 0)', '(event_id + 0)');
    await queryRunner.query('DROP INDEX check_ins_user_nonce_idx');
    await queryRunner.query(
      'CREATE UNIQUE INDEX check_ins_user_nonce_idx ON check_ins (user_id, nonce, event_id) WHERE device_id IS NULL',
    );
    await queryRunner.query(placeOrdersFunction());
    await queryRunner.query(CHECK_IN_FUNCTION);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    // The functions stay: they find what they did before, if not as fast.
    await queryRunner.query('DROP INDEX check_ins_user_nonce_idx');
    await queryRunner.query(
      'CREATE UNIQUE INDEX check_ins_user_nonce_idx ON check_ins (user_id, event_id, nonce) WHERE device_id IS NULL',
    );
    await makeAnew(queryRunner, 'user_id', 'event_id');
  }
}

async function makeAnew(queryRunner: QueryRunner, user: string, event: string): Promise<void> {
  for (const [name, columns, part] of [
    ['orders_unpaid_idx', `${user}, ${event}, expires_at`, `status NOT LIKE 'paid'`],
    ['orders_bought_idx', `${user}, ${event}`, `status LIKE 'paid'`],
    ['orders_network_idx', `${event}, network, expires_at`, 'network IS NOT NULL'],
    ['orders_event_due_idx', `${event}, expires_at`, `status = 'held'`],
  ]) {
    await queryRunner.query(`DROP INDEX ${name}`);
    await queryRunner.query(`CREATE INDEX ${name} ON orders (${columns}) WHERE ${part}`);
  }
}
