import { Check, Column, CreateDateColumn, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** A discount, or what opens hidden ticket types. Its uses are places of a quota of its own. */
@Entity('codes')
@Check('codes_discount_check', 'num_nonnulls(percent_off, amount_off) <= 1')
@Check('codes_percent_check', 'percent_off BETWEEN 1 AND 100')
@Check('codes_amount_check', 'amount_off > 0')
@Check('codes_valid_check', 'valid_until > valid_from')
@Index('codes_event_id_code_key_idx', ['eventId', 'codeKey'], { unique: true, where: 'deleted_at IS NULL' })
export class Code {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'BY DEFAULT',
    primaryKeyConstraintName: 'codes_pkey',
  })
  id: number;

  @Column('bigint', { name: 'event_id' })
  eventId: number;

  @Column('bigint', { name: 'quota_id' })
  quotaId: number;

  /** As its organizer spells it. */
  @Column('varchar', { length: 50 })
  code: string;

  /** In the form in which codes are compared. */
  @Column('varchar', { name: 'code_key', length: 100 })
  codeKey: string;

  @Column('integer', { name: 'percent_off', nullable: true })
  percentOff: number | null;

  @Column('bigint', { name: 'amount_off', nullable: true })
  amountOff: number | null;

  /** Null: all that are not hidden. */
  @Column('bigint', { name: 'ticket_type_ids', array: true, nullable: true })
  ticketTypeIds: number[] | null;

  /** Null: any number. */
  @Column('integer', { name: 'max_uses', nullable: true })
  maxUses: number | null;

  @Column({ type: 'timestamptz', name: 'valid_from', precision: 3, nullable: true })
  validFrom: Date | null;

  @Column({ type: 'timestamptz', name: 'valid_until', precision: 3, nullable: true })
  validUntil: Date | null;

  @Column({ type: 'timestamptz', name: 'deleted_at', precision: 3, nullable: true })
  deletedAt: Date | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt: Date;
}
