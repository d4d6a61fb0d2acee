import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import { TICKET_STATUSES, type TicketStatus } from '../inventory/ticket-status';

/**
 * Without foreign keys: a reservation has just read the user and the event, and the keys would read and lock both once
 * more for each ticket. A route that deletes either must look for tickets first; the doctor finds those without.
 */
@Entity('tickets')
@Check('tickets_status_check', `status IN (${TICKET_STATUSES.map((status) => `'${status}'`).join(', ')})`)
@Check('tickets_paid_at_check', `(status = 'paid') = (paid_at IS NOT NULL) AND paid_at < expires_at`)
@Index('tickets_user_id_id_idx', ['userId', 'id'])
@Index('tickets_due_idx', ['expiresAt'], { where: `status = 'reserved'` })
@Index('tickets_event_due_idx', ['eventId', 'expiresAt'], { where: `status = 'reserved'` })
@Index('tickets_network_idx', ['eventId', 'network', 'expiresAt'], { where: 'network IS NOT NULL' })
@Index('tickets_unpaid_idx', ['userId', 'eventId', 'expiresAt'], { where: `status NOT LIKE 'paid'` })
export class Ticket {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'tickets_pkey' })
  id: number;

  @Column('bigint', { name: 'user_id' })
  userId: number;

  @Column('bigint', { name: 'event_id' })
  eventId: number;

  /** Stands for the network that reserved it, while it is held and networks are counted. */
  @Column('bigint', { nullable: true, select: false })
  network: unknown;

  @Column('varchar', { length: 9 })
  status: TicketStatus;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt: Date;

  @Column({ type: 'timestamptz', name: 'paid_at', precision: 3, nullable: true })
  paidAt: Date | null;
}
