import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What was answered under an `Idempotency-Key`. Nothing in it can be read without the server's secret and the request. */
@Entity('idempotency_keys')
@Index('idempotency_keys_expires_at_idx', ['expiresAt'])
export class IdempotencyKey {
  /** Stands for caller and key. */
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'idempotency_keys_pkey' })
  id: Buffer;

  /** Stands for the request. */
  @Column('bytea')
  fingerprint: Buffer;

  /** Encrypted. */
  @Column('bytea')
  answer: Buffer;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt: Date;
}
