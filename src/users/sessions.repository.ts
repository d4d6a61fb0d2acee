import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller';
import { Statements } from '../database/statements';

@Injectable()
export class SessionsRepository {
  constructor(private readonly statements: Statements) {}

  /** Begins a session; those of the user that have lapsed go. */
  async insert(id: string, userId: number, tokenHash: Buffer, seconds: number): Promise<void> {
    await this.statements.run(
      {
        text: `
          WITH lapsed AS (DELETE FROM sessions WHERE user_id = $2 AND expires_at <= now())
          INSERT INTO sessions (id, user_id, token_hash, expires_at)
          VALUES ($1, $2, $3, now() + make_interval(secs => $4::int))`,
      },
      [id, userId, tokenHash, seconds],
    );
  }

  /**
   * Puts one token in the place of another. Of two that try so at once, the second waits for the first and then finds
   * that its token is no longer the good one.
   *
   * @returns whose session it is, as they are now; undefined when the token is not the good one
   */
  async rotate(id: string, tokenHash: Buffer, nextHash: Buffer): Promise<Caller | undefined> {
    const [caller] = await this.statements.run<Caller>(
      {
        text: `
          UPDATE sessions SET token_hash = $3 FROM users
          WHERE sessions.id = $1 AND token_hash = $2 AND expires_at > now() AND users.id = user_id
          RETURNING users.id AS "userId", users.role`,
      },
      [id, tokenHash, nextHash],
    );
    return caller;
  }

  async delete(id: string): Promise<void> {
    await this.statements.run({ text: 'DELETE FROM sessions WHERE id = $1' }, [id]);
  }
}
