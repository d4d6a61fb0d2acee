import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How far the payments that a provider lists have been compared with ours, and what did not agree the last time. */
@Entity('reconciliations')
export class Reconciliation {
  @PrimaryColumn('varchar', { length: 20, primaryKeyConstraintName: 'reconciliations_pkey' })
  provider: string;

  @Column({ type: 'timestamptz', name: 'walked_until', precision: 3 })
  walkedUntil: Date;

  @Column({ type: 'timestamptz', name: 'walked_at', precision: 3 })
  walkedAt: Date;

  @Column('jsonb', { default: [] })
  differences: object[];
}
