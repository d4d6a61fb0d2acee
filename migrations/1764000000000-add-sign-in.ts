import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddSignIn1764000000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE users
        ADD COLUMN password_hash varchar(255),
        ADD COLUMN role varchar(5) NOT NULL DEFAULT 'user',
        ADD CONSTRAINT users_role_check CHECK (role IN ('user', 'admin'))
    `);
    await queryRunner.query(`
      ALTER TABLE events
        ADD COLUMN organizer_id bigint,
        ADD CONSTRAINT events_organizer_id_fkey FOREIGN KEY (organizer_id) REFERENCES users (id)
    `);
    await queryRunner.query(`
      CREATE TABLE sessions (
        id uuid,
        user_id bigint NOT NULL,
        token_hash bytea NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        expires_at timestamptz(3) NOT NULL,
        CONSTRAINT sessions_pkey PRIMARY KEY (id),
        CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)
      )
    `);
    await queryRunner.query('CREATE INDEX sessions_user_id_idx ON sessions (user_id)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE sessions');
    await queryRunner.query('ALTER TABLE events DROP COLUMN organizer_id');
    await queryRunner.query('ALTER TABLE users DROP COLUMN role, DROP COLUMN password_hash');
  }
}
