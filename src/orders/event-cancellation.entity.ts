import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** How far the cancellation of an event has come: it goes through the orders in the sequence of their ids. */
@Entity('event_cancellations')
export class EventCancellation {
  @PrimaryColumn('bigint', { name: 'event_id', primaryKeyConstraintName: 'event_cancellations_pkey' })
  eventId: number;

  @CreateDateColumn({ name: 'cancelled_at', type: 'timestamptz', precision: 3 })
  cancelledAt: Date;

  /** Where nothing happens for long, a person is needed. */
  @Column({ type: 'timestamptz', name: 'progressed_at', precision: 3 })
  progressedAt: Date;

  @Column({ type: 'timestamptz', name: 'done_at', precision: 3, nullable: true })
  doneAt: Date | null;

  /** The last of the orders that were gone through. */
  @Column('bigint', { name: 'last_order_id', default: 0 })
  lastOrderId: number;

  /** What was paid for those of them that are not refunded, in the minor unit of the event's currency. */
  @Column('bigint', { name: 'amount_owed', default: 0 })
  amountOwed: number;
}
