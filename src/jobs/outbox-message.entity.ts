import { Column, CreateDateColumn, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** What must happen after a change, written in the transaction of the change. The relay does it, at least once. */
@Entity('outbox')
@Index('outbox_due_idx', ['dueAt'], { where: 'NOT is_dead' })
export class OutboxMessage {
  /** The key that makes it once: handlers hand it to those who must not do it twice. */
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'outbox_pkey' })
  id: number;

  @Column('varchar', { length: 64 })
  topic: string;

  @Column('jsonb')
  payload: unknown;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt: Date;

  /** When the relay tries it next. While one relay works on it, this is when another may take it over. */
  @Column({ type: 'timestamptz', name: 'due_at', precision: 3, default: () => 'now()' })
  dueAt: Date;

  @Column('integer', { default: 0 })
  attempts: number;

  @Column('varchar', { name: 'last_error', length: 500, nullable: true })
  lastError: string | null;

  /** A dead letter: tried in vain too often, kept for a person to look at. */
  @Column('boolean', { name: 'is_dead', default: false })
  isDead: boolean;
}
