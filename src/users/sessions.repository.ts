import { Injectable } from '@nestjs/common';
import type { Account } from '../auth/caller';
import { buyerIn, buyerThere, issuedAtIn, type Scope, type Subject } from '../database/scope';
import { Statements, type Statement } from '../database/statements';

/** Of one user: enough for all devices and scripts of a person, and little enough to go through at once. */
const MOST_LIVE = 100;

/** A session as its list shows it. */
export interface SessionView {
  id: string;
  createdAt: Date;
  lastUsedAt: Date;
  expiresAt: Date;
}

/** Where a page of sessions starts: when the last one before it expires, and its id. */
export type SessionKey = [expiresAt: string, id: string];

/**
 * The live sessions of the user `$1` behind the one that expires at `$2` with the id `$3`, at most `$4`; `$5`:
 * when the user's token was issued.
 */
export const LIST_SESSIONS: Statement = {
  name: 'list_sessions',
  text: `
    SELECT id, created_at AS "createdAt", coalesce(last_used_at, created_at) AS "lastUsedAt", expires_at AS "expiresAt"
    FROM sessions
    WHERE user_id = ${buyerThere('$1::bigint', '$5::bigint')} AND expires_at > now() AND (expires_at, id) < ($2::timestamptz, $3::uuid)
    ORDER BY expires_at DESC, id DESC
    LIMIT $4`,
};

@Injectable()
export class SessionsRepository {
  constructor(private readonly statements: Statements) {}

  /**
   * Begins a session, within a transaction; those of the user that have lapsed go, and the oldest where there are too many.
   * The lock keeps others from beginning one meanwhile, and a password from being changed between the look at it and the end
   * of the transaction: the change then finds this session, and ends it.
   *
   * @param passwordHash what the password was compared with; null: nothing was
   * @returns false, and begins none, when the user has another password by now
   */
  async insert(
    id: string,
    userId: number,
    passwordHash: string | null,
    tokenHash: Buffer,
    seconds: number,
  ): Promise<boolean> {
    const owners = await this.statements.run(
      {
        text: `
          SELECT id FROM users WHERE id = $1 AND ($2::varchar IS NULL OR password_hash = $2)
          FOR NO KEY UPDATE`,
      },
      [userId, passwordHash],
    );
    if (owners.length === 0) return false;
    // A statement of its own: it sees the sessions that others began before this one got the lock.
    await this.statements.run(
      {
        text: `
          WITH ended AS (
            DELETE FROM sessions WHERE user_id = $2 AND expires_at <= greatest(now(), (
              SELECT expires_at FROM sessions WHERE user_id = $2 ORDER BY expires_at DESC OFFSET $5 - 1 LIMIT 1
            ))
          )
          INSERT INTO sessions (id, user_id, token_hash, expires_at)
          VALUES ($1, $2, $3, now() + make_interval(secs => $4::int))`,
      },
      [id, userId, tokenHash, seconds, MOST_LIVE],
    );
    return true;
  }

  /**
   * Puts one token in the place of another. Of two that try so at once, the second waits for the first and then finds
   * that its token is no longer the good one.
   *
   * @returns whose session it is, as they are now; undefined when the token is not the good one
   */
  async rotate(id: string, tokenHash: Buffer, nextHash: Buffer): Promise<Account | undefined> {
    const [account] = await this.statements.change<Account>(
      {
        text: `
          UPDATE sessions SET token_hash = $3, last_used_at = now() FROM users
          WHERE sessions.id = $1 AND token_hash = $2 AND expires_at > now() AND users.id = user_id
          RETURNING users.id AS "userId", users.role, users.created_at AS "createdAt"`,
      },
      [id, tokenHash, nextHash],
    );
    return account;
  }

  /** Newest first, from behind the session `before`. */
  async listByUser({ userId, issuedAt }: Subject, before: SessionKey, limit: number): Promise<SessionView[]> {
    return await this.statements.list<SessionView>(LIST_SESSIONS, [
      userId,
      ...before,
      limit,
      issuedAt ?? null,
    ]);
  }

  /** @returns false when there is no such session within the scope */
  async delete(id: string, scope: Scope): Promise<boolean> {
    const ended = await this.statements.change<{ isLive: boolean }>(
      {
        text: `
          DELETE FROM sessions WHERE id = $1 AND user_id = coalesce(${buyerThere('$2::bigint', '$3::bigint')}, user_id)
          RETURNING expires_at > now() AS "isLive"`,
      },
      [id, buyerIn(scope), issuedAtIn(scope)],
    );
    return ended.some(({ isLive }) => isLive);
  }

  /**
   * Ends the session of a refresh token.
   *
   * @param isIssued whether the token was the session's at some time; otherwise it must be so now
   */
  async deleteByToken(id: string, tokenHash: Buffer, isIssued: boolean): Promise<void> {
    await this.statements.change({ text: 'DELETE FROM sessions WHERE id = $1 AND (token_hash = $2 OR $3)' }, [
      id,
      tokenHash,
      isIssued,
    ]);
  }

  /** Ends all sessions of the user but the one to keep. */
  async deleteOthers(userId: number, keptId: string | undefined): Promise<void> {
    await this.statements.change(
      { text: 'DELETE FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2::uuid' },
      [userId, keptId ?? null],
    );
  }
}
