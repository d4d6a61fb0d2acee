import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** An event of a provider whose effect is there. */
@Entity('provider_events')
@Index('provider_events_received_at_idx', ['receivedAt'])
export class ProviderEventRecord {
  @PrimaryColumn('varchar', { length: 20, primaryKeyConstraintName: 'provider_events_pkey' })
  provider: string;

  @PrimaryColumn('varchar', {
    name: 'event_id',
    length: 255,
    primaryKeyConstraintName: 'provider_events_pkey',
  })
  eventId: string;

  @Column('bigint', { name: 'payment_id' })
  paymentId: number;

  @CreateDateColumn({ name: 'received_at', type: 'timestamptz', precision: 3 })
  receivedAt: Date;
}
