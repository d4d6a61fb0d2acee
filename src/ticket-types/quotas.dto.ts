import { PartialType } from '@nestjs/swagger';
import { ApiInteger } from '../http/api-docs';
import { Int, Text } from '../http/fields';
import { MOST_PLACES } from './ticket-types.dto';
import type { QuotaView } from './quotas.repository';

export class CreateQuotaDto {
  /**
   * For you: buyers don't see it.
   * @example "Balcony"
   */
  @Text(1, 100)
  name: string;

  /**
   * How many tickets there are of all types that share it.
   * @example 120
   */
  @Int(0, MOST_PLACES)
  capacity: number;
}

export class UpdateQuotaDto extends PartialType(CreateQuotaDto, { skipNullProperties: false }) {}

export class QuotaDto {
  /** @example 1 */
  @ApiInteger()
  id: number;

  /** @example 1 */
  @ApiInteger()
  event_id: number;

  /**
   * The quota of one type has the name of the type, until it gets its own.
   * @example "Balcony"
   */
  name: string;

  /** @example 120 */
  @ApiInteger()
  capacity: number;

  /**
   * Places of orders that are held.
   * @example 3
   */
  @ApiInteger()
  held: number;

  /**
   * Places of orders that are paid.
   * @example 40
   */
  @ApiInteger()
  sold: number;
}

export const toQuotaDto = (quota: QuotaView): QuotaDto => ({
  id: quota.id,
  event_id: quota.eventId,
  name: quota.name,
  capacity: quota.capacity,
  held: quota.held,
  sold: quota.sold,
});
