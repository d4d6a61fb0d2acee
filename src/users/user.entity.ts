import { Check, Column, CreateDateColumn, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import type { Role } from '../auth/caller';

/** Unique without regard to case; an expression, so the migration makes it and not TypeORM. */
export const USERS_EMAIL_KEY = 'users_email_key';

@Entity('users')
@Check('users_location_check', '(location_latitude IS NULL) = (location_longitude IS NULL)')
@Check('users_role_check', `role IN ('user', 'admin')`)
@Index(USERS_EMAIL_KEY, { synchronize: false })
export class User {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'users_pkey' })
  id: number;

  @Column('varchar', { length: 100 })
  name: string;

  @Column('varchar', { length: 255 })
  email: string;

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
