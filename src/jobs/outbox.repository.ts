import { Injectable } from '@nestjs/common';
import { Statements, type Statement } from '../database/statements';
import type { OutboxMessage } from './outbox-message.entity';

export type ClaimedMessage = Pick<OutboxMessage, 'id' | 'topic' | 'payload' | 'attempts'>;

/** What stands in the outbox, for metrics and the doctor. */
export interface OutboxBacklog {
  /** Messages that wait for their time, or are being worked on. */
  waiting: number;
  /** Messages whose time has come. */
  due: number;
  /** Dead letters. */
  dead: number;
  /** How long the oldest due message has been due, in seconds; 0 where none is. */
  oldestDueSeconds: number;
}

@Injectable()
export class OutboxRepository {
  constructor(private readonly statements: Statements) {}

  async insert(topic: string, payload: object): Promise<void> {
    await this.statements.run(INSERT, [topic, JSON.stringify(payload)]);
  }

  /**
   * Takes at most `limit` due messages of these topics for `leaseSeconds`; two relays never take the same one. No lock
   * outlives the statement: a relay that is killed leaves its messages to the next one after the lease.
   */
  async claim(topics: string[], limit: number, leaseSeconds: number): Promise<ClaimedMessage[]> {
    return await this.statements.run<ClaimedMessage>(CLAIM, [topics, limit, leaseSeconds]);
  }

  /** Forgets messages that are done, but for those whose lease has ended and which another relay has taken over. */
  async complete(messages: readonly ClaimedMessage[]): Promise<void> {
    await this.statements.run(COMPLETE, [
      JSON.stringify(messages.map(({ id, attempts }) => ({ id, attempts }))),
    ]);
  }

  /** Puts a message off that could not be done, or makes it a dead letter. */
  async putOff(
    { id, attempts }: ClaimedMessage,
    { seconds, isDead, error }: { seconds: number; isDead: boolean; error: string },
  ): Promise<void> {
    await this.statements.run(PUT_OFF, [id, attempts, seconds, isDead, error]);
  }

  async countBacklog(): Promise<OutboxBacklog> {
    const [backlog] = await this.statements.run<OutboxBacklog>(COUNT_BACKLOG, []);
    return backlog as OutboxBacklog;
  }
}

const INSERT: Statement = {
  name: 'outbox_insert',
  text: 'INSERT INTO outbox (topic, payload) VALUES ($1, $2::jsonb)',
};

const CLAIM: Statement = {
  name: 'outbox_claim',
  text: `
    UPDATE outbox SET attempts = attempts + 1, due_at = now() + make_interval(secs => $3::int)
    WHERE id = ANY (ARRAY(
      SELECT id FROM outbox
      WHERE NOT is_dead AND due_at <= now() AND topic = ANY ($1::varchar[])
      ORDER BY due_at LIMIT $2
      FOR UPDATE SKIP LOCKED
    ))
    RETURNING id, topic, payload, attempts`,
};

const COMPLETE: Statement = {
  name: 'outbox_complete',
  text: `
    WITH done AS MATERIALIZED (SELECT * FROM json_to_recordset($1::json) AS done (id bigint, attempts int))
    DELETE FROM outbox USING done
    WHERE outbox.id = ANY (ARRAY(SELECT id FROM done)) AND outbox.id = done.id AND outbox.attempts = done.attempts`,
};

const PUT_OFF: Statement = {
  name: 'outbox_put_off',
  text: `
    UPDATE outbox SET due_at = now() + make_interval(secs => $3::int), is_dead = $4, last_error = left($5, 500)
    WHERE id = $1 AND attempts = $2`,
};

/** Counts no further than a person would: a scrape must not read a million rows. */
const COUNT_BACKLOG: Statement = {
  text: `
    SELECT
      (SELECT count(*)::int FROM (SELECT FROM outbox WHERE NOT is_dead AND due_at > now() LIMIT 10001) AS m) AS waiting,
      (SELECT count(*)::int FROM (SELECT FROM outbox WHERE NOT is_dead AND due_at <= now() LIMIT 10001) AS m) AS due,
      (SELECT count(*)::int FROM (SELECT FROM outbox WHERE is_dead LIMIT 10001) AS m) AS dead,
      coalesce((
        SELECT extract(epoch FROM now() - due_at)::float8 FROM outbox
        WHERE NOT is_dead AND due_at <= now() ORDER BY due_at LIMIT 1
      ), 0) AS "oldestDueSeconds"`,
};
