import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import { TICKET_FATES, type TicketFate } from '../inventory/ticket-status';

/**
 * One place of an order, written with its hold. What an order goes through changes the order alone, however many tickets it
 * has; a fate of its own is all that ever changes here.
 *
 * No foreign key holds it: each would be checked for each ticket of a crowd, right after the statement has read what it
 * leads to. `npm run doctor` looks for orphans.
 */
@Entity('tickets')
@Check('tickets_fate_check', `fate IN (${TICKET_FATES.map((fate) => `'${fate}'`).join(', ')})`)
@Check('tickets_price_check', 'price >= 0')
@Index('tickets_order_id_idx', ['orderId'])
export class Ticket {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'BY DEFAULT',
    primaryKeyConstraintName: 'tickets_pkey',
  })
  id: number;

  @Column('bigint', { name: 'order_id' })
  orderId: number;

  @Column('bigint', { name: 'ticket_type_id' })
  ticketTypeId: number;

  /** What is paid for it, in the minor unit of the order's currency. */
  @Column('bigint', { default: 0 })
  price: number;

  @Column('varchar', { length: 8, nullable: true })
  fate: TicketFate | null;

  /** How often it was handed on: the codes of before are good no more. */
  @Column('integer', { default: 0 })
  generation: number;

  /** Its money went back, and its place stays sold. */
  @Column('boolean', { name: 'keeps_place', default: false })
  keepsPlace: boolean;

  @Column('varchar', { name: 'attendee_name', length: 100, nullable: true })
  attendeeName: string | null;

  @Column('varchar', { name: 'attendee_email', length: 255, nullable: true })
  attendeeEmail: string | null;
}
