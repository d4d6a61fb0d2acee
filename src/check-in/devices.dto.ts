import { ApiProperty } from '@nestjs/swagger';
import { ApiInteger } from '../http/api-docs';
import { Text } from '../http/fields';
import type { DeviceView } from './devices.repository';

export class CreateDeviceDto {
  /**
   * What the people at the gate call it.
   * @example "North entrance, phone 2"
   */
  @Text(1, 100)
  name: string;
}

export class DeviceDto {
  /** @example 1 */
  @ApiInteger()
  id: number;

  /** @example 1 */
  @ApiInteger()
  event_id: number;

  /** @example "North entrance, phone 2" */
  name: string;

  /** @example "2030-01-01T12:00:00.000Z" */
  created_at: Date;

  /** When it called last, to the half minute; null: never. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  last_seen_at: Date | null;
}

export class NewDeviceDto extends DeviceDto {
  /**
   * Sent as `Authorization: Bearer …`; shown this once. Good for the gate of this event alone.
   * @example "gate_1_ZXhhbXBsZS1vZi1hLXRva2VuLW5vdC1v"
   */
  token: string;
}

export const toDeviceDto = ({ id, eventId, name, createdAt, seenAt }: DeviceView): DeviceDto => ({
  id,
  event_id: eventId,
  name,
  created_at: createdAt,
  last_seen_at: seenAt,
});
