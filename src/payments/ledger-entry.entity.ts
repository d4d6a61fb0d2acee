import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** A movement of money, written in the transaction of its effect and never changed: a trigger refuses that. */
@Entity('ledger')
@Check('ledger_kind_check', `kind IN ('charge', 'refund', 'refund_failed', 'dispute', 'dispute_won')`)
@Check('ledger_amount_check', `(amount > 0) = (kind IN ('charge', 'refund_failed', 'dispute_won'))`)
@Check('ledger_refund_check', `(kind IN ('refund', 'refund_failed')) = (refund_id IS NOT NULL)`)
@Index('ledger_order_id_idx', ['orderId'])
@Index('ledger_payment_id_kind_idx', ['paymentId', 'kind', 'source'], {
  unique: true,
  where: 'refund_id IS NULL',
})
@Index('ledger_refund_id_idx', ['refundId', 'kind', 'source'], {
  unique: true,
  where: 'refund_id IS NOT NULL',
})
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

  @Column('varchar', { length: 13 })
  kind: 'charge' | 'refund' | 'refund_failed' | 'dispute' | 'dispute_won';

  /** The provider's id of the refund or the dispute: each counts once out and once back. Empty where there is none. */
  @Column('varchar', { length: 255, default: '' })
  source: string;

  /** Above 0 what came in, below what went out; in the minor unit of the currency. */
  @Column('bigint')
  amount: number;

  @Column('char', { length: 3 })
  currency: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt: Date;
}
