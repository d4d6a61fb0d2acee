import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';
import type { Metadata } from '../http/metadata';
import { User } from '../users/user.entity';

/** Refuses an organizer without an account. */
export const EVENTS_ORGANIZER_FKEY = 'events_organizer_id_fkey';

export const EVENT_STATUSES = ['draft', 'published', 'cancelled'] as const;

export type EventStatus = (typeof EVENT_STATUSES)[number];

/** SQL: what no admin took out of the lists. The index of an organizer's own list has nothing else. */
export const IS_NOT_UNLISTED = 'unlisted_at IS NULL';

/** SQL: what stands in public lists. Their indexes have nothing else. */
export const IS_LISTED = `status = 'published' AND ${IS_NOT_UNLISTED}`;

@Entity('events')
@Check('events_end_check', 'end_time >= start_time')
@Check('events_venue_check', '(venue_latitude IS NULL) = (venue_longitude IS NULL)')
@Check('events_status_check', `status IN (${EVENT_STATUSES.map((status) => `'${status}'`).join(', ')})`)
@Check('events_currency_check', `currency ~ '^[A-Z]{3}$'`)
@Check('events_max_tickets_per_user_check', 'max_tickets_per_user > 0')
// Lists walk these, so that an event that is in no list costs them nothing.
@Index('events_start_time_id_idx', ['startTime', 'id'], { where: IS_LISTED })
@Index('events_listed_organizer_id_start_time_id_idx', ['organizerId', 'startTime', 'id'], {
  where: IS_LISTED,
})
// For an organizer's own list, which has their drafts.
@Index('events_organizer_id_start_time_id_idx', ['organizerId', 'startTime', 'id'], {
  where: IS_NOT_UNLISTED,
})
// A GIN index, which TypeORM can't make: the migration does.
@Index('events_search_idx', { synchronize: false })
@Index('events_position_end_time_id_idx', ['position', 'endTime', 'id'], {
  spatial: true,
  where: `position IS NOT NULL AND ${IS_LISTED}`,
})
export class Event {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'events_pkey' })
  id: number;

  /** The user that created it; null for events that are older than accounts. */
  @Column('bigint', { name: 'organizer_id', nullable: true })
  organizerId: number | null;

  @ManyToOne(() => User)
  @JoinColumn({ name: 'organizer_id', foreignKeyConstraintName: EVENTS_ORGANIZER_FKEY })
  organizer: Relation<User>;

  /** A draft is its organizer's; a cancelled event is in no list any more. */
  @Column('varchar', { length: 9, default: 'published' })
  status: EventStatus;

  @Column('varchar', { length: 200 })
  title: string;

  @Column('text', { default: '' })
  description: string;

  @Column({ type: 'timestamptz', name: 'start_time', precision: 3 })
  startTime: Date;

  @Column({ type: 'timestamptz', name: 'end_time', precision: 3 })
  endTime: Date;

  @Column('varchar', { name: 'venue_address', length: 255, nullable: true })
  venueAddress: string | null;

  @Column('double precision', { name: 'venue_latitude', nullable: true })
  venueLatitude: number | null;

  @Column('double precision', { name: 'venue_longitude', nullable: true })
  venueLongitude: number | null;

  /** When an admin took it out of all lists; null: it is in them. */
  @Column({ type: 'timestamptz', name: 'unlisted_at', precision: 3, nullable: true })
  unlistedAt: Date | null;

  /** The venue on the unit sphere; a trigger keeps it. */
  @Column({ type: 'cube', nullable: true, select: false, insert: false, update: false })
  position: unknown;

  /** The words of title, address and description; a trigger keeps them. */
  @Column({ type: 'tsvector', nullable: true, select: false, insert: false, update: false })
  search: unknown;

  /** Of all its prices, by ISO 4217; null while everything is free. */
  @Column('varchar', { length: 3, nullable: true })
  currency: string | null;

  /** By its IANA name, for people: all times here are in UTC. */
  @Column('varchar', { length: 64, default: 'UTC' })
  timezone: string;

  /** Null: any number. */
  @Column('integer', { name: 'max_tickets_per_user', nullable: true })
  maxTicketsPerUser: number | null;

  @Column('jsonb', { default: {} })
  metadata: Metadata;

  /** How often what an organizer can change was changed, from 1 on. */
  @Column('integer', { default: 1 })
  version: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt: Date;
}
