import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CHECK_IN_FUNCTION } from '../src/check-in/check-in.function';
import { placeOrdersFunction } from '../src/inventory/place-orders/place-orders.function';

/**
 * While there are few orders, the index of an event's orders looks to PostgreSQL as good as the one of what a user has of
 * the event. A session that planned so read all orders of the event for each order that was placed. Now only the wanted
 * index fits: no other begins with `event_id + 0`.
 */
export class GiveLookupsTheirOwnIndex1768300000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await makeAnew(queryRunner, indexes('(user_id + 0)', '(event_id + 0)', 'user_id, nonce, event_id'));
    await queryRunner.query(placeOrdersFunction());
    await queryRunner.query(CHECK_IN_FUNCTION);
    await queryRunner.query(`DO $$ BEGIN
      EXECUTE replace(replace(pg_get_functiondef('places_of_user'::regproc), 'user_id =', 'user_id + 0 ='),
        'event_id =', 'event_id + 0 =');
    END $$`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await makeAnew(queryRunner, indexes('user_id', 'event_id', 'user_id, event_id, nonce'));
    await queryRunner.query(`DO $$ DECLARE name regproc; BEGIN
      FOREACH name IN ARRAY ARRAY['place_orders', 'check_in', 'places_of_user']::regproc[] LOOP
        EXECUTE replace(pg_get_functiondef(name), '_id + 0 =', '_id =');
      END LOOP;
    END $$`);
  }
}

type Index = [kind: 'INDEX' | 'UNIQUE INDEX', name: string, on: string];

const indexes = (user: string, event: string, nonce: string): Index[] => [
  ['INDEX', 'orders_unpaid_idx', `orders (${user}, ${event}, expires_at) WHERE status NOT LIKE 'paid'`],
  ['INDEX', 'orders_bought_idx', `orders (${user}, ${event}) WHERE status LIKE 'paid'`],
  ['INDEX', 'orders_network_idx', `orders (${event}, network, expires_at) WHERE network IS NOT NULL`],
  ['INDEX', 'orders_event_due_idx', `orders (${event}, expires_at) WHERE status = 'held'`],
  ['UNIQUE INDEX', 'check_ins_user_nonce_idx', `check_ins (${nonce}) WHERE device_id IS NULL`],
];

/** Builds all before it drops the first: until then, others go on reading the tables. */
async function makeAnew(queryRunner: QueryRunner, wanted: Index[]): Promise<void> {
  for (const [kind, name, on] of wanted) await queryRunner.query(`CREATE ${kind} new_${name} ON ${on}`);
  for (const [, name] of wanted) {
    await queryRunner.query(`DROP INDEX ${name}`);
    await queryRunner.query(`ALTER INDEX new_${name} RENAME TO ${name}`);
  }
}
