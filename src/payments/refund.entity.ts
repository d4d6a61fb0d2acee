import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import { REFUND_STATUSES, type RefundCause, type RefundStatus } from '../inventory/payment-states';

/** Money of a payment that is given back. */
@Entity('refunds')
@Check('refunds_status_check', `status IN (${REFUND_STATUSES.map((status) => `'${status}'`).join(', ')})`)
@Check('refunds_amount_check', 'amount > 0')
@Index('refunds_order_id_id_idx', ['orderId', 'id'])
@Index('refunds_event_id_idx', ['eventId', 'cause', 'status'])
@Index('refunds_ask_idx', ['askAt'], { where: 'ask_at IS NOT NULL' })
@Index('refunds_unsettled_idx', ['createdAt'], { where: `status <> 'succeeded'` })
export class Refund {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'BY DEFAULT',
    primaryKeyConstraintName: 'refunds_pkey',
  })
  id: number;

  @Column('bigint', { name: 'order_id' })
  orderId: number;

  @Column('bigint', { name: 'event_id' })
  eventId: number;

  @Column('bigint', { name: 'payment_id' })
  paymentId: number;

  @Column('varchar', { length: 9 })
  status: RefundStatus;

  /** In the minor unit of the currency. */
  @Column('bigint')
  amount: number;

  @Column('char', { length: 3 })
  currency: string;

  /** `organizer`, or why it was begun by itself. */
  @Column('varchar', { length: 20 })
  cause: RefundCause;

  /** The organizer's own. */
  @Column('varchar', { length: 200, nullable: true })
  reason: string | null;

  /** Of the tickets whose money it is; null where it is but an amount. */
  @Column('bigint', { name: 'ticket_ids', array: true, nullable: true })
  ticketIds: number[] | null;

  /** The places of the tickets stay counted as sold. */
  @Column('boolean', { name: 'keep_places', default: false })
  keepPlaces: boolean;

  /** Which try it is: each is a refund of its own at the provider. */
  @Column('integer', { default: 1 })
  attempt: number;

  @Column('varchar', { name: 'failure_code', length: 100, nullable: true })
  failureCode: string | null;

  /** The provider's id of the last try. */
  @Column('varchar', { name: 'provider_refund', length: 255, nullable: true })
  providerRefund: string | null;

  /** The provider's id of the try whose money came back last: news that it succeeded is out of date. */
  @Column('varchar', { name: 'returned_refund', length: 255, nullable: true })
  returnedRefund: string | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'closed_at', precision: 3, nullable: true })
  closedAt: Date | null;

  /** When the provider is asked whether the money came back; null where that can't be any more, or is not its doing. */
  @Column({ type: 'timestamptz', name: 'ask_at', precision: 3, nullable: true })
  askAt: Date | null;
}
