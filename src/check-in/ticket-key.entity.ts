import { Check, Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** A key pair that signs tickets, or did: its public half stays for as long as tickets that it signed may be scanned. */
@Entity('ticket_keys')
@Check('ticket_keys_retired_check', '(retired_at IS NULL) = (encrypted_private_key IS NOT NULL)')
@Index('ticket_keys_one_signs_idx', ['secretFingerprint'], { unique: true, where: 'retired_at IS NULL' })
export class TicketKey {
  @PrimaryColumn('varchar', { length: 3, primaryKeyConstraintName: 'ticket_keys_pkey' })
  kid: string;

  @Column('bytea', { name: 'public_key' })
  publicKey: Buffer;

  /** Null once it is retired: it signs nothing any more, whoever has the database and the secret. */
  @Column('bytea', { name: 'encrypted_private_key', nullable: true })
  encryptedPrivateKey: Buffer | null;

  /** Names the secret that decrypts the private half. Processes with another secret sign by a key of their own. */
  @Column('varchar', { name: 'secret_fingerprint', length: 8 })
  secretFingerprint: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'retired_at', precision: 3, nullable: true })
  retiredAt: Date | null;
}
