import type { Difference } from './reconciliation.statements';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How far the payments that a provider lists have been compared with ours, and what did not agree the last time. */
@Entity('reconciliations')
export class ReconciliationRecord {
  @PrimaryColumn('varchar', { length: 20, primaryKeyConstraintName: 'reconciliations_pkey' })
  provider: string;

  @Column({ type: 'timestamptz', name: 'walked_until', precision: 3 })
  walkedUntil: Date;

  @Column({ type: 'timestamptz', name: 'walked_at', precision: 3 })
  walkedAt: Date;

  /** When the walk began that is under way, and behind which payment it goes on. */
  @Column({ type: 'timestamptz', name: 'begun_at', precision: 3, nullable: true })
  begunAt: Date | null;

  @Column('varchar', { length: 255, nullable: true })
  cursor: string | null;

  @Column('jsonb', { default: [] })
  differences: Difference[];
}
