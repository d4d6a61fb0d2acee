import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddOutbox1764300000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY,
        topic varchar(64) NOT NULL,
        payload jsonb NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        due_at timestamptz(3) NOT NULL DEFAULT now(),
        attempts integer NOT NULL DEFAULT 0,
        last_error varchar(500),
        is_dead boolean NOT NULL DEFAULT false,
        CONSTRAINT outbox_pkey PRIMARY KEY (id)
      )
    `);
    await queryRunner.query('CREATE INDEX outbox_due_idx ON outbox (due_at) WHERE NOT is_dead');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE outbox');
  }
}
