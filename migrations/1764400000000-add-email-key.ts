import type { MigrationInterface, QueryRunner } from 'typeorm';
import { StartupError } from '../src/config/startup-error';
import { emailKey } from '../src/text/email';

const BATCH = 5_000;

export class AddEmailKey1764400000000 implements MigrationInterface {
  /** The migration locks rows a batch at a time, so no client waits for the whole. Every step may run a second time. */
  transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE users ADD COLUMN IF NOT EXISTS email_key text');
    // The build before this one, and people with SQL, write e-mails without keys. Its index on lower(email) stays for as
    // long; the release after this one can drop it.
    await queryRunner.query(`
      CREATE OR REPLACE FUNCTION set_user_email_key() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.email_key IS NULL OR NEW.email <> OLD.email AND NEW.email_key = OLD.email_key THEN
          NEW.email_key := lower(normalize(NEW.email, NFKC));
        END IF;
        RETURN NEW;
      END
      $$
    `);
    await queryRunner.query(`
      CREATE OR REPLACE TRIGGER users_email_key BEFORE INSERT OR UPDATE OF email ON users
      FOR EACH ROW EXECUTE FUNCTION set_user_email_key()
    `);
    await this.fillIn(queryRunner);
    await this.refuseCollisions(queryRunner);
    await queryRunner.query('CREATE UNIQUE INDEX users_email_key_idx ON users (email_key)');
  }

  private async fillIn(queryRunner: QueryRunner): Promise<void> {
    for (let last = 0; ;) {
      const users = await queryRunner.manager.query<{ id: number; email: string }[]>(
        'SELECT id, email FROM users WHERE id > $1 ORDER BY id LIMIT $2',
        [last, BATCH],
      );
      if (users.length === 0) return;
      await queryRunner.query(
        `UPDATE users SET email_key = key FROM unnest($1::bigint[], $2::text[]) AS filled (user_id, key)
        WHERE id = user_id AND email_key IS DISTINCT FROM key`,
        [users.map(({ id }) => id), users.map(({ email }) => emailKey(email))],
      );
      last = users.at(-1)?.id ?? last;
    }
  }

  /** Only the operator can tell which of two accounts has the mailbox, or whether they may become one. */
  private async refuseCollisions(queryRunner: QueryRunner): Promise<void> {
    const found = await queryRunner.manager.query<{ ids: number[] }[]>(
      'SELECT array_agg(id ORDER BY id) AS ids FROM users GROUP BY email_key HAVING count(*) > 1 ORDER BY 1 LIMIT 20',
    );
    if (found.length === 0) return;
    const users = found.map(({ ids }) => ids.join(' and ')).join(', ');
    throw new StartupError(
      `Users ${users} have one e-mail in several spellings: give all but one of them another ` +
        '(UPDATE users SET email = … WHERE id = …), then migrate again.',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TRIGGER users_email_key ON users');
    await queryRunner.query('DROP FUNCTION set_user_email_key');
    await queryRunner.query('ALTER TABLE users DROP COLUMN email_key');
  }
}
