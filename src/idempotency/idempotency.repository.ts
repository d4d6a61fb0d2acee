import { Injectable } from '@nestjs/common';
import { Statements, type Statement } from '../database/statements';
import type { IdempotencyKey } from './idempotency-key.entity';

type Stored = Omit<IdempotencyKey, 'expiresAt' | 'outcome'>;

@Injectable()
export class IdempotencyRepository {
  constructor(private readonly statements: Statements) {}

  /**
   * Keeps all others with one of these ids away until the transaction ends.
   *
   * @returns false where there is another
   */
  async lock(ids: readonly Buffer[]): Promise<boolean> {
    const locks = ids.map((id) => id.readBigInt64BE().toString());
    const [row] = await this.statements.run<{ locked: boolean }>(LOCK_KEYS, [locks]);
    return row?.locked === true;
  }

  async find(ids: readonly Buffer[]): Promise<Stored | undefined> {
    const [stored] = await this.statements.run<Stored>(FIND_KEY, [ids]);
    return stored;
  }

  async insert({ id, fingerprint, answer }: Stored): Promise<void> {
    await this.statements.run(INSERT_KEY, [id, fingerprint, answer]);
  }

  /** @returns how many were deleted, at most `limit` */
  async deleteExpired(limit: number): Promise<number> {
    return (await this.statements.run(DELETE_EXPIRED_KEYS, [limit])).length;
  }
}

const LOCK_KEYS: Statement = {
  name: 'idempotency_lock',
  text: 'SELECT bool_and(pg_try_advisory_xact_lock(id)) AS locked FROM unnest($1::bigint[]) AS id',
};

// Not in the statement that locks: that one would look at what there was before it had the lock.
export const FIND_KEY: Statement = {
  name: 'idempotency_find',
  text: `
    SELECT id, fingerprint, answer FROM (
      -- Else the planner may read all keys by the time they expire, as long as there are no statistics.
      SELECT * FROM idempotency_keys WHERE id = ANY ($1::bytea[]) OFFSET 0
    ) AS stored
    WHERE expires_at > now()`,
};

/** In the place of one that has expired and is still there. */
const INSERT_KEY: Statement = {
  name: 'idempotency_insert',
  text: `
    INSERT INTO idempotency_keys (id, fingerprint, answer, expires_at)
    VALUES ($1, $2, $3, now() + interval '24 hours')
    ON CONFLICT (id) DO UPDATE
    SET fingerprint = excluded.fingerprint, answer = excluded.answer, outcome = NULL, expires_at = excluded.expires_at`,
};

export const DELETE_EXPIRED_KEYS: Statement = {
  text: `
    DELETE FROM idempotency_keys WHERE id = ANY (ARRAY(
      SELECT id FROM idempotency_keys WHERE expires_at <= now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
    )) RETURNING id`,
};
