import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DropTicketKeys1764500200000 implements MigrationInterface {
  // A reservation has just read the user and the event. The keys read both once more for each ticket and lock them, which
  // is a third of the database's time. No route deletes users or events; the doctor finds tickets that have lost theirs.
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE tickets DROP CONSTRAINT tickets_user_id_fkey, DROP CONSTRAINT tickets_event_id_fkey
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE tickets
        ADD CONSTRAINT tickets_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
        ADD CONSTRAINT tickets_event_id_fkey FOREIGN KEY (event_id) REFERENCES events (id)
    `);
  }
}
