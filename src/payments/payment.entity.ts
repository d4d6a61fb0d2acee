import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

export const PAYMENT_STATUSES = ['requires_action', 'processing', 'succeeded', 'failed'] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** One try to pay an order. */
@Entity('payments')
@Check('payments_status_check', `status IN (${PAYMENT_STATUSES.map((status) => `'${status}'`).join(', ')})`)
@Check('payments_amount_check', 'amount >= 0')
@Index('payments_order_id_idx', ['orderId'])
@Index('payments_event_id_id_idx', ['eventId', 'id'])
export class Payment {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'BY DEFAULT',
    primaryKeyConstraintName: 'payments_pkey',
  })
  id: number;

  @Column('bigint', { name: 'order_id' })
  orderId: number;

  @Column('bigint', { name: 'event_id' })
  eventId: number;

  /** `none` for an order that costs nothing, `offline` for cash or bank. */
  @Column('varchar', { length: 20 })
  provider: string;

  @Column('varchar', { length: 15 })
  status: PaymentStatus;

  /** In the minor unit of the currency. */
  @Column('bigint')
  amount: number;

  @Column('char', { length: 3, nullable: true })
  currency: string | null;

  /** The organizer's own, such as the number of a receipt. */
  @Column('varchar', { length: 200, nullable: true })
  reference: string | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt: Date;
}
