import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';
import { Event } from '../events/event.entity';

export const DEVICES_EVENT_FKEY = 'devices_event_id_fkey';

/** What scans at the gate of one event. One that is revoked stays, for what it has scanned names it. */
@Entity('devices')
@Index('devices_event_id_id_idx', ['eventId', 'id'])
export class Device {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'BY DEFAULT',
    primaryKeyConstraintName: 'devices_pkey',
  })
  id: number;

  @Column('bigint', { name: 'event_id' })
  eventId: number;

  @ManyToOne(() => Event, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'event_id', foreignKeyConstraintName: DEVICES_EVENT_FKEY })
  event: Relation<Event>;

  @Column('varchar', { length: 100 })
  name: string;

  /** SHA-256 of the token, which is random: nobody finds it by trying. */
  @Index('devices_token_hash_idx', { unique: true })
  @Column('bytea', { name: 'token_hash' })
  tokenHash: Buffer;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'revoked_at', precision: 3, nullable: true })
  revokedAt: Date | null;

  /** When it called last, to the half minute; null: never. */
  @Index('devices_seen_at_idx')
  @Column({ type: 'timestamptz', name: 'seen_at', precision: 3, nullable: true })
  seenAt: Date | null;
}
