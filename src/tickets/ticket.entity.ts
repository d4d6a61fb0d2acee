import {
  Check,
  Column,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';
import { Event } from '../events/event.entity';
import { TICKET_STATUSES, type TicketStatus } from '../inventory/ticket-status';
import { User } from '../users/user.entity';

@Entity('tickets')
@Check('tickets_status_check', `status IN (${TICKET_STATUSES.map((status) => `'${status}'`).join(', ')})`)
@Check('tickets_paid_at_check', `(status = 'paid') = (paid_at IS NOT NULL) AND paid_at < expires_at`)
@Index('tickets_user_id_id_idx', ['userId', 'id'])
@Index('tickets_due_idx', ['expiresAt'], { where: `status = 'reserved'` })
@Index('tickets_event_due_idx', ['eventId', 'expiresAt'], { where: `status = 'reserved'` })
@Index('tickets_unpaid_idx', ['userId', 'eventId', 'expiresAt'], { where: `status NOT LIKE 'paid'` })
export class Ticket {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'tickets_pkey' })
  id: number;

  @Column('bigint', { name: 'user_id' })
  userId: number;

  @ManyToOne(() => User)
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'tickets_user_id_fkey' })
  user: Relation<User>;

  @Column('bigint', { name: 'event_id' })
  eventId: number;

  @ManyToOne(() => Event)
  @JoinColumn({ name: 'event_id', foreignKeyConstraintName: 'tickets_event_id_fkey' })
  event: Relation<Event>;

  @Column('varchar', { length: 9 })
  status: TicketStatus;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt: Date;

  @Column({ type: 'timestamptz', name: 'paid_at', precision: 3, nullable: true })
  paidAt: Date | null;
}
