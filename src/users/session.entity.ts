import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  type Relation,
} from 'typeorm';
import { User } from './user.entity';

/**
 * One sign-in and all that came of it: the family of its refresh tokens, each of which takes the place of the one
 * before. Only the last of them is known, and only by its hash.
 */
@Entity('sessions')
@Index('sessions_user_id_expires_at_id_idx', ['userId', 'expiresAt', 'id'])
export class Session {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'sessions_pkey' })
  id: string;

  @Column('bigint', { name: 'user_id' })
  userId: number;

  @ManyToOne(() => User)
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'sessions_user_id_fkey' })
  user: Relation<User>;

  /** SHA-256 of the refresh token that is good now. */
  @Column('bytea', { name: 'token_hash' })
  tokenHash: Buffer;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt: Date;

  /** When it last gave out tokens; null for sessions that are older than this column. */
  @Column({
    type: 'timestamptz',
    name: 'last_used_at',
    precision: 3,
    nullable: true,
    default: () => 'now()',
  })
  lastUsedAt: Date | null;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt: Date;
}
