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
import { User } from '../users/user.entity';

/** Refuses an organizer without an account. */
export const EVENTS_ORGANIZER_FKEY = 'events_organizer_id_fkey';

/** SQL: the event is in lists. */
export const IS_LISTED = 'unlisted_at IS NULL';

@Entity('events')
@Check('events_end_check', 'end_time >= start_time')
@Check('events_venue_check', '(venue_latitude IS NULL) = (venue_longitude IS NULL)')
// Lists walk these, so that an event that is in no list costs them nothing.
@Index('events_start_time_id_idx', ['startTime', 'id'], { where: IS_LISTED })
@Index('events_organizer_id_start_time_id_idx', ['organizerId', 'startTime', 'id'], { where: IS_LISTED })
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

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt: Date;
}
