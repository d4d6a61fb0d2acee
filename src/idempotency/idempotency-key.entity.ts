import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What was answered under an `Idempotency-Key`. Neither key nor request can be read in it without the
 * server's secret, and no answer that is not in a table of its own. */
@Entity('idempotency_keys')
@Check('idempotency_keys_answer_check', '(answer IS NULL) <> (outcome IS NULL)')
@Index('idempotency_keys_expires_at_idx', ['expiresAt'])
export class IdempotencyKey {
  /** Stands for caller and key. */
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'idempotency_keys_pkey' })
  id: Buffer;

  /** Stands for the request. */
  @Column('bytea')
  fingerprint: Buffer;

  /** Encrypted; null where the answer is made of the outcome. */
  @Column('bytea', { nullable: true })
  answer: Buffer | null;

  /** Of a request that shared its statement with others: the ticket as it was answered, or why there was none. */
  @Column('jsonb', { nullable: true })
  outcome: object | null;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt: Date;
}
