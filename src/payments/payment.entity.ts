import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import { OPEN_PAYMENT, PAYMENT_STATUSES, type PaymentStatus } from '../inventory/payment-states';

/** One try to pay an order. */
@Entity('payments')
@Check('payments_status_check', `status IN (${PAYMENT_STATUSES.map((status) => `'${status}'`).join(', ')})`)
@Check('payments_amount_check', 'amount >= 0')
@Check('payments_dispute_check', `dispute IN ('open', 'won', 'lost')`)
@Check('payments_taken_check', `(status = 'succeeded') = (taken IS NOT NULL)`)
@Check('payments_giving_back_check', 'giving_back BETWEEN 0 AND coalesce(taken, 0)')
@Index('payments_order_id_idx', ['orderId'])
@Index('payments_event_id_id_idx', ['eventId', 'id'])
@Index('payments_open_idx', ['orderId'], { unique: true, where: `status IN ${OPEN_PAYMENT}` })
@Index('payments_provider_payment_idx', ['provider', 'providerPayment'], {
  unique: true,
  where: 'provider_payment IS NOT NULL',
})
@Index('payments_overrefunded_idx', ['id'], { where: 'refunded > giving_back' })
@Index('payments_ask_idx', ['askAt'], { where: 'ask_at IS NOT NULL' })
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

  /** The amount that is asked for, in the minor unit of the currency. */
  @Column('bigint')
  amount: number;

  @Column('char', { length: 3, nullable: true })
  currency: string | null;

  /** The organizer's own, such as the number of a receipt. */
  @Column('varchar', { length: 200, nullable: true })
  reference: string | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt: Date;

  /** The provider's id; null until its first answer. */
  @Column('varchar', { name: 'provider_payment', length: 255, nullable: true })
  providerPayment: string | null;

  /** What the buyer sent, so that the same may be sent to the provider again. */
  @Column('varchar', { length: 50, nullable: true })
  method: string | null;

  @Column('varchar', { name: 'return_url', length: 2_000, nullable: true })
  returnUrl: string | null;

  /** The fingerprint of the request that began it, where that had an `Idempotency-Key`. */
  @Column('bytea', { nullable: true })
  request: Buffer | null;

  @Column('varchar', { name: 'failure_code', length: 100, nullable: true })
  failureCode: string | null;

  /** What the provider has taken, once it has. */
  @Column('bigint', { nullable: true })
  taken: number | null;

  /** The amount that is given back of it, or is to be: all of its refunds, also those that failed and wait to be retried. */
  @Column('bigint', { name: 'giving_back', default: 0 })
  givingBack: number;

  /** What the provider has given back in all, as far as it has told. More than `givingBack`: somebody did so in its dashboard. */
  @Column('bigint', { default: 0 })
  refunded: number;

  /** Of all its disputes: `open` where one is, else `lost` where one is. */
  @Column('varchar', { length: 4, nullable: true })
  dispute: 'open' | 'won' | 'lost' | null;

  /** By the provider's id. Empty beside a `dispute` of a build that kept no ids. */
  @Column('jsonb', { default: {} })
  disputes: Record<string, { status: 'open' | 'won' | 'lost'; amount: number }>;

  /** What banks have taken of it for good: the disputes that were lost. */
  @Column('bigint', { default: 0 })
  lost: number;

  @Column({ type: 'timestamptz', name: 'closed_at', precision: 3, nullable: true })
  closedAt: Date | null;

  /** When the provider is asked next how it stands; null where there is nothing to ask. */
  @Column({ type: 'timestamptz', name: 'ask_at', precision: 3, nullable: true })
  askAt: Date | null;
}
