import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { ApiInteger } from '../http/api-docs';
import { PageQuery } from '../http/page';
import type { CheckInView } from './check-in-log.service';
import { CheckInResultDto, ScanningDeviceDto, toResultDto } from './check-ins.dto';
import { CHECK_IN_KINDS, type CheckInKind } from './scan-result';

export class CheckInsQuery extends PageQuery {
  /** `true`: only those that contradict another device. Where an exit between the two arrives later, they no longer do. */
  @IsOptional()
  @IsIn(['true', 'false'], { message: 'must be true or false' })
  @ApiPropertyOptional({ enum: ['true', 'false'] })
  conflict?: 'true' | 'false';
}

export class KeptCheckInDto extends CheckInResultDto {
  /** @example 1 */
  @ApiInteger()
  id: number;

  /** @example "entry" */
  @ApiProperty({ enum: CHECK_IN_KINDS })
  kind: CheckInKind;

  /** @example "1f0c7a52-0d0e-4c5f-9a41-8c2f8f0f2f5e" */
  nonce: string;

  /**
   * By the device's clock.
   * @example "2030-06-01T19:00:00.000Z"
   */
  scanned_at: Date;

  /**
   * Later, where the device had no network.
   * @example "2030-06-01T19:20:00.000Z"
   */
  received_at: Date;

  /** Null: an account. */
  @ApiProperty({ type: ScanningDeviceDto, nullable: true })
  device: ScanningDeviceDto | null;

  /** The account that scanned; null: a device. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  user_id: number | null;
}

export const KEPT_EXAMPLE = {
  id: 1,
  result: 'conflict',
  kind: 'entry',
  nonce: '1f0c7a52-0d0e-4c5f-9a41-8c2f8f0f2f5e',
  scanned_at: '2030-06-01T19:00:00.000Z',
  received_at: '2030-06-01T19:20:00.000Z',
  device: { id: 1, name: 'North entrance, phone 2' },
  user_id: null,
  ticket: { id: 1, ticket_type: 'Stalls', attendee: { name: 'Ada Lovelace' } },
  earlier: { scanned_at: '2030-06-01T18:58:00.000Z', device: { id: 2, name: 'South entrance' } },
};

const deviceOf = (id: number | null, name: string | null) => (id === null ? null : { id, name: name ?? '' });

export const toKeptDto = (view: CheckInView): KeptCheckInDto => ({
  id: view.id,
  kind: view.kind,
  nonce: view.nonce,
  scanned_at: view.scannedAt,
  received_at: view.receivedAt,
  device: deviceOf(view.deviceId, view.deviceName),
  user_id: view.userId,
  ...toResultDto({
    result: view.result,
    ticket:
      view.ticketId === null
        ? null
        : { id: view.ticketId, typeName: view.typeName ?? '', attendeeName: view.attendeeName },
    earlier: view.earlierScannedAt && {
      scannedAt: view.earlierScannedAt,
      device: deviceOf(view.earlierDeviceId, view.earlierDeviceName),
    },
  }),
});
