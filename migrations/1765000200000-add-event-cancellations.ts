import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddEventCancellations1765000200000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE event_cancellations (
        event_id bigint NOT NULL,
        cancelled_at timestamptz(3) NOT NULL DEFAULT now(),
        progressed_at timestamptz(3) NOT NULL,
        done_at timestamptz(3),
        last_order_id bigint NOT NULL DEFAULT 0,
        amount_owed bigint NOT NULL DEFAULT 0,
        CONSTRAINT event_cancellations_pkey PRIMARY KEY (event_id)
      )
    `);
    // Not compressed: the size that is stored is then the size that is sent, and is known without reading it.
    await queryRunner.query('ALTER TABLE orders ALTER COLUMN metadata SET STORAGE EXTERNAL');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE orders ALTER COLUMN metadata SET STORAGE EXTENDED');
    await queryRunner.query('DROP TABLE event_cancellations');
    await queryRunner.query(`DELETE FROM outbox WHERE topic = 'event.cancelled'`);
  }
}
