import { Check, Column, CreateDateColumn, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import type { Role } from '../auth/caller';

const EMAIL_KEY = 'users_email_key_idx';
/** On an expression, which TypeORM can't index; for builds before the column. */
const LOWER_EMAIL = 'users_email_key';
/** Each refuses a second account of one e-mail. */
export const EMAIL_INDEXES: unknown[] = [EMAIL_KEY, LOWER_EMAIL];

@Entity('users')
@Check('users_location_check', '(location_latitude IS NULL) = (location_longitude IS NULL)')
@Check('users_role_check', `role IN ('user', 'admin')`)
@Index(LOWER_EMAIL, { synchronize: false })
export class User {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'users_pkey' })
  id: number;

  @Column('varchar', { length: 100 })
  name: string;

  /** As it was typed. */
  @Column('varchar', { length: 255 })
  email: string;

  /** The e-mail in its normal form (`emailKey`). A trigger fills it in where it is left out. */
  @Column('text', { name: 'email_key', nullable: true, select: false })
  @Index(EMAIL_KEY, { unique: true })
  emailKey: string;

  @Column('varchar', { length: 5, default: 'user' })
  role: Role;

  /** argon2id in PHC format; null for an account without a password. Loaded only where it is named. */
  @Column('varchar', { name: 'password_hash', length: 255, nullable: true, select: false })
  passwordHash: string | null;

  @Column('varchar', { name: 'location_address', length: 255, nullable: true })
  locationAddress: string | null;

  @Column('double precision', { name: 'location_latitude', nullable: true })
  locationLatitude: number | null;

  @Column('double precision', { name: 'location_longitude', nullable: true })
  locationLongitude: number | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt: Date;
}
