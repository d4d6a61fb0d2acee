import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import { ORDER_STATUSES, type OrderStatus } from '../inventory/order-status';

/**
 * Places that one user holds or has bought at once. What was asked for and what was taken stand in the row: whatever ticket
 * types and quotas say later, exactly that is paid or given back.
 */
@Entity('orders')
@Check('orders_status_check', `status IN (${ORDER_STATUSES.map((status) => `'${status}'`).join(', ')})`)
@Check('orders_paid_at_check', `status NOT IN ('paid', 'refunded') OR paid_at IS NOT NULL`)
@Check('orders_amounts_check', 'total >= 0 AND discount >= 0 AND amount_refunded BETWEEN 0 AND amount_paid')
@Index('orders_user_id_id_idx', ['userId', 'id'])
@Index('orders_event_id_id_idx', ['eventId', 'id'])
@Index('orders_due_idx', ['expiresAt'], { where: `status = 'held'` })
// On expressions, which TypeORM can't index: the migration does.
@Index('orders_event_due_idx', { synchronize: false })
@Index('orders_network_idx', { synchronize: false })
@Index('orders_unpaid_idx', { synchronize: false })
@Index('orders_bought_idx', { synchronize: false })
export class Order {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'BY DEFAULT',
    primaryKeyConstraintName: 'orders_pkey',
  })
  id: number;

  @Column('bigint', { name: 'user_id' })
  userId: number;

  @Column('bigint', { name: 'event_id' })
  eventId: number;

  @Column('varchar', { length: 9 })
  status: OrderStatus;

  /** A payment of it is open: the provider is asked before its hold ends. */
  @Column('boolean', { name: 'is_paying', default: false })
  isPaying: boolean;

  @Column('boolean', { name: 'is_extended', default: false })
  isExtended: boolean;

  /** How many tickets it has. */
  @Column('integer')
  places: number;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt: Date;

  @Column({ type: 'timestamptz', name: 'paid_at', precision: 3, nullable: true })
  paidAt: Date | null;

  /** After the discount. Amounts are in the minor unit of the currency. */
  @Column('bigint', { default: 0 })
  total: number;

  @Column('bigint', { default: 0 })
  discount: number;

  @Column('bigint', { name: 'amount_paid', default: 0 })
  amountPaid: number;

  @Column('bigint', { name: 'amount_refunded', default: 0 })
  amountRefunded: number;

  @Column('bigint', { name: 'code_id', nullable: true })
  codeId: number | null;

  /** Of each item: its ticket type, number and price; no prices where all are free. */
  @Column('bigint', { name: 'type_ids', array: true })
  typeIds: number[];

  @Column('integer', { array: true })
  numbers: number[];

  @Column('bigint', { name: 'unit_prices', array: true, nullable: true })
  unitPrices: number[] | null;

  /** How many places of which quota it takes. */
  @Column('bigint', { name: 'quota_ids', array: true })
  quotaIds: number[];

  @Column('integer', { name: 'quota_numbers', array: true })
  quotaNumbers: number[];

  /** Of the event at that time; null while everything of it is free. */
  @Column('char', { length: 3, nullable: true })
  currency: string | null;

  /** Stands for the network that placed it, while it is held and networks are counted. */
  @Column('bigint', { nullable: true, select: false })
  network: unknown;

  @Column('varchar', { name: 'contact_name', length: 100, nullable: true })
  contactName: string | null;

  @Column('varchar', { name: 'contact_email', length: 255, nullable: true })
  contactEmail: string | null;

  /** The client's own references. */
  @Column('jsonb', { nullable: true })
  metadata: Record<string, string> | null;
}
