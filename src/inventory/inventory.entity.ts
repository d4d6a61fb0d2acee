import { Check, Column, Entity, JoinColumn, OneToOne, PrimaryColumn } from 'typeorm';

/**
 * The seats of one event. Apart from the event, because these counters change with every ticket while the event
 * hardly ever does; the row is narrow and its page half empty, so that an update stays on the page and touches no
 * index. The CHECK stands behind the code: PostgreSQL itself refuses one seat too many.
 */
@Entity('inventory')
@Check('inventory_seats_check', 'held >= 0 AND sold >= 0 AND held + sold <= capacity')
export class Inventory {
  @PrimaryColumn('bigint', { name: 'event_id', primaryKeyConstraintName: 'inventory_pkey' })
  eventId: number;

  // By its name: events import inventory, not the other way round.
  @OneToOne('Event')
  @JoinColumn({ name: 'event_id', foreignKeyConstraintName: 'inventory_event_id_fkey' })
  event: unknown;

  /** All seats there are. */
  @Column('integer')
  capacity: number;

  /** Seats of reserved tickets. */
  @Column('integer', { default: 0 })
  held: number;

  /** Seats of paid tickets. */
  @Column('integer', { default: 0 })
  sold: number;

  /** A seat was taken at some time, whatever became of its ticket. */
  @Column('boolean', { name: 'was_taken', default: false })
  wasTaken: boolean;
}
