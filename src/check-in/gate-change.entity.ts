import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * A ticket whose fate or generation changed: devices hear of it at their next download. A trigger writes it, so that no code
 * that changes a ticket can forget.
 */
@Entity('gate_changes')
@Index('gate_changes_event_id_changed_in_idx', ['eventId', 'changedIn', 'ticketId'])
export class GateChange {
  @PrimaryColumn('bigint', { name: 'ticket_id', primaryKeyConstraintName: 'gate_changes_pkey' })
  ticketId: number;

  @Column('bigint', { name: 'event_id' })
  eventId: number;

  /** The transaction that changed it last: unlike a time or a number, it tells what a snapshot has not seen yet. */
  @Column('bigint', { name: 'changed_in' })
  changedIn: number;
}
