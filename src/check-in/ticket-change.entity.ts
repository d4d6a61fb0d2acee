import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { TicketFate } from '../inventory/ticket-status';

/**
 * What a ticket was until it changed: a late scan is judged by what it was when it was scanned. A trigger writes it, so that
 * no code that changes a ticket can forget.
 */
@Entity('ticket_changes')
export class TicketChange {
  @PrimaryColumn('bigint', { name: 'ticket_id', primaryKeyConstraintName: 'ticket_changes_pkey' })
  ticketId: number;

  @PrimaryColumn('timestamptz', { name: 'changed_at', primaryKeyConstraintName: 'ticket_changes_pkey' })
  changedAt: Date;

  @Column('varchar', { length: 8, nullable: true })
  fate: TicketFate | null;

  @Column('integer')
  generation: number;
}
