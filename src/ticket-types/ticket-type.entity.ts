import { Check, Column, CreateDateColumn, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** What an event sells: at which price, out of which quotas, when, and how many at once. */
@Entity('ticket_types')
@Check('ticket_types_price_check', 'price >= 0')
@Check('ticket_types_quotas_check', 'cardinality(quota_ids) BETWEEN 1 AND 2')
@Check('ticket_types_per_order_check', 'min_per_order >= 1 AND max_per_order >= min_per_order')
@Check('ticket_types_sales_check', 'sales_until > sales_from')
@Index('ticket_types_event_idx', ['eventId', 'position', 'id'])
export class TicketType {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'BY DEFAULT',
    primaryKeyConstraintName: 'ticket_types_pkey',
  })
  id: number;

  @Column('bigint', { name: 'event_id' })
  eventId: number;

  @Column('varchar', { length: 100 })
  name: string;

  @Column('text', { default: '' })
  description: string;

  /** In the minor unit of the event's currency. */
  @Column('bigint', { default: 0 })
  price: number;

  /** Of which a ticket takes one place each: the event's, and that of its own or a shared quota, if it has one. */
  @Column('bigint', { name: 'quota_ids', array: true })
  quotaIds: number[];

  @Column({ type: 'timestamptz', name: 'sales_from', precision: 3, nullable: true })
  salesFrom: Date | null;

  @Column({ type: 'timestamptz', name: 'sales_until', precision: 3, nullable: true })
  salesUntil: Date | null;

  @Column('integer', { name: 'min_per_order', default: 1 })
  minPerOrder: number;

  @Column('integer', { name: 'max_per_order', default: 10 })
  maxPerOrder: number;

  /** There only for those who send a code that names it. */
  @Column('boolean', { name: 'is_hidden', default: false })
  isHidden: boolean;

  /** Lists are in this order. */
  @Column('integer', { default: 0 })
  position: number;

  /** Gone from every list, for good. */
  @Column({ type: 'timestamptz', name: 'archived_at', precision: 3, nullable: true })
  archivedAt: Date | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt: Date;
}
