import { Check, Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import { CHECK_IN_KINDS, SCAN_RESULTS, type CheckInKind, type ScanResult } from './scan-result';

const listOf = (values: readonly string[]) => values.map((value) => `'${value}'`).join(', ');

/**
 * A scan of a device, or of an organizer's, and what it came to. No foreign key holds it: each would be checked for each
 * scan, right after the statement has read what it leads to.
 */
@Entity('check_ins')
@Check('check_ins_kind_check', `kind IN (${listOf(CHECK_IN_KINDS)})`)
@Check('check_ins_result_check', `result IN (${listOf(SCAN_RESULTS)})`)
@Check(
  'check_ins_passage_check',
  `passage IS NULL AND result <> 'admitted' OR passage % 2 = 0 AND result = 'admitted' OR passage % 2 = 1 AND result = 'left'`,
)
@Index('check_ins_passage_idx', ['ticketId', 'passage'], { unique: true, where: 'passage IS NOT NULL' })
@Index('check_ins_passed_at_idx', ['ticketId', 'passedAt', 'id'], { where: 'passed_at IS NOT NULL' })
@Index('check_ins_device_nonce_idx', ['deviceId', 'nonce'], { unique: true, where: 'device_id IS NOT NULL' })
@Index('check_ins_user_nonce_idx', ['userId', 'nonce', 'eventId'], {
  unique: true,
  where: 'device_id IS NULL',
})
@Index('check_ins_event_id_id_idx', ['eventId', 'id'])
@Index('check_ins_conflict_idx', ['eventId', 'id'], { where: `result = 'conflict'` })
export class CheckIn {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'BY DEFAULT',
    primaryKeyConstraintName: 'check_ins_pkey',
  })
  id: number;

  @Column('bigint', { name: 'event_id' })
  eventId: number;

  /** Null: an organizer's account scanned. */
  @Column('bigint', { name: 'device_id', nullable: true })
  deviceId: number | null;

  @Column('bigint', { name: 'user_id', nullable: true })
  userId: number | null;

  /** Names the scan for its device, which may send it any number of times. */
  @Column('varchar', { length: 64 })
  nonce: string;

  /** Null where what was scanned is no ticket. */
  @Column('bigint', { name: 'ticket_id', nullable: true })
  ticketId: number | null;

  @Column('varchar', { length: 5 })
  kind: CheckInKind;

  @Column('varchar', { length: 11 })
  result: ScanResult;

  /**
   * Counts how often the ticket came to be inside (even) and outside (odd), from 0 on; null where a scan changed nothing of
   * that, as one does which arrives after a later one.
   */
  @Column('integer', { nullable: true })
  passage: number | null;

  /** By the device's clock, but not after it was received. */
  @Column({ type: 'timestamptz', name: 'scanned_at', precision: 3 })
  scannedAt: Date;

  @Column({ type: 'timestamptz', name: 'received_at', precision: 3 })
  receivedAt: Date;

  /**
   * Its place in the history of the ticket: when the ticket went in or out. By the device's clock where it came late, else
   * when it was decided; null where the ticket went neither way.
   */
  @Column({ type: 'timestamptz', name: 'passed_at', precision: 3, nullable: true })
  passedAt: Date | null;

  /** The check-in that let the ticket in, or out, before; null where there is none, or it says nothing. */
  @Column('bigint', { name: 'earlier_id', nullable: true })
  earlierId: number | null;
}
