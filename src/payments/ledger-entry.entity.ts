import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** A movement of money, written in the transaction of its effect and never changed: a trigger refuses that. */
@Entity('ledger')
@Check('ledger_kind_check', `kind IN ('charge', 'refund', 'dispute', 'dispute_won')`)
@Check('ledger_amount_check', `(amount > 0) = (kind IN ('charge', 'dispute_won'))`)
@Check('ledger_refund_check', `(kind = 'refund') = (refund_id IS NOT NULL)`)
@Index('ledger_order_id_idx', ['orderId'])
@Index('ledger_payment_id_kind_idx', ['paymentId', 'kind'], { unique: true, where: 'refund_id IS NULL' })
@Index('ledger_refund_id_idx', ['refundId'], { unique: true, where: 'refund_id IS NOT NULL' })
export class LedgerEntry {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'BY DEFAULT',
    primaryKeyConstraintName: 'ledger_pkey',
  })
  id: number;

  @Column('bigint', { name: 'order_id' })
  orderId: number;

  @Column('bigint', { name: 'payment_id' })
  paymentId: number;

  @Column('bigint', { name: 'refund_id', nullable: true })
  refundId: number | null;

  @Column('varchar', { length: 11 })
  kind: 'charge' | 'refund' | 'dispute' | 'dispute_won';

  /** Above 0 what came in, below what went out; in the minor unit of the currency. */
  @Column('bigint')
  amount: number;

  @Column('char', { length: 3 })
  currency: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt: Date;
}
