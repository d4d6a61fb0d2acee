import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** `event`: all places of an event; `type`: those of some of its ticket types; `code`: the uses of a code. */
export const QUOTA_KINDS = ['event', 'type', 'code'] as const;
export type QuotaKind = (typeof QUOTA_KINDS)[number];

/**
 * A counter of places. Apart from what it counts for, because it changes with every order while an event or a ticket type
 * hardly ever does; the row is narrow and its page half empty, so that an update stays on the page and touches no index.
 * The CHECK stands behind the code: PostgreSQL itself refuses one place too many.
 */
@Entity('quotas')
@Check('quotas_kind_check', `kind IN (${QUOTA_KINDS.map((kind) => `'${kind}'`).join(', ')})`)
@Check('quotas_places_check', 'held >= 0 AND sold >= 0 AND held + sold <= capacity')
@Index('quotas_event_idx', ['eventId'], { unique: true, where: `kind = 'event'` })
@Index('quotas_event_id_id_idx', ['eventId', 'id'])
export class Quota {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'BY DEFAULT',
    primaryKeyConstraintName: 'quotas_pkey',
  })
  id: number;

  @Column('bigint', { name: 'event_id' })
  eventId: number;

  @Column('varchar', { length: 5 })
  kind: QuotaKind;

  /** Of the kind `type`, for the organizer. */
  @Column('varchar', { length: 100, default: '' })
  name: string;

  /** All places there are. */
  @Column('integer')
  capacity: number;

  /** Places of orders that are held. */
  @Column('integer', { default: 0 })
  held: number;

  /** Places of orders that are paid. */
  @Column('integer', { default: 0 })
  sold: number;

  /** Sells nothing any more: decided under the lock of the places. */
  @Column('boolean', { name: 'is_closed', default: false })
  isClosed: boolean;

  /**
   * Of the kind `event`: raised under the lock of the places when a ticket type draws on other quotas than before. An order
   * that was asked for before that is looked at anew.
   */
  @Column('integer', { default: 0 })
  version: number;
}
