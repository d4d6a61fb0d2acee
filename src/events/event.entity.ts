import { Check, Column, CreateDateColumn, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

@Entity('events')
@Check('events_end_check', 'end_time >= start_time')
@Index('events_start_time_id_idx', ['startTime', 'id'])
// Over an expression of the venue's coordinates, so the migration makes it and not TypeORM.
@Index('events_position_end_time_idx', { synchronize: false })
export class Event {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'events_pkey' })
  id: number;

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

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt: Date;
}
