import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { ApiInteger } from '../http/api-docs';
import { CsvPageQuery } from '../http/csv';
import { Text } from '../http/fields';
import type { AttendeeFilter } from './attendees.service';
import type { AttendeeView } from './gate.repository';

export class AttendeesQuery extends CsvPageQuery {
  /** Only those with this in a name or an e-mail address, or of the order with this code. */
  @IsOptional()
  @Text(1, 100)
  q?: string;

  /** `true`: only those that were let in; `false`: only the others. */
  @IsOptional()
  @IsIn(['true', 'false'], { message: 'must be true or false' })
  @ApiPropertyOptional({ enum: ['true', 'false'] })
  checked_in?: 'true' | 'false';
}

export class PersonDto {
  /** @example "Ada Lovelace" */
  name: string;

  @ApiProperty({ type: String, nullable: true, example: 'ada@example.com' })
  email: string | null;
}

export class EventAttendeeDto {
  /** @example 1 */
  @ApiInteger()
  ticket_id: number;

  /** @example 1 */
  @ApiInteger()
  ticket_type_id: number;

  /** @example "Stalls" */
  ticket_type: string;

  /** @example "7ZZFG2K9QX" */
  order_code: string;

  /** @example "paid" */
  @ApiProperty({ enum: ['paid', 'blocked'] })
  status: 'paid' | 'blocked';

  /** Null where the ticket names nobody. */
  @ApiProperty({ type: PersonDto, nullable: true })
  attendee: PersonDto | null;

  /** The contact of the order, or else the account that placed it. */
  @ApiProperty({ type: PersonDto })
  buyer: PersonDto;

  /** Whether the ticket was ever let in. */
  checked_in: boolean;

  /** Whether it was let in and has not left since. */
  is_inside: boolean;

  /** When it was let in first; null: not yet. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2030-06-01T18:31:00.000Z' })
  checked_in_at: Date | null;
}

export const ATTENDEE_EXAMPLE = {
  ticket_id: 1,
  ticket_type_id: 1,
  ticket_type: 'Stalls',
  order_code: '7ZZFG2K9QX',
  status: 'paid',
  attendee: { name: 'Ada Lovelace', email: 'ada@example.com' },
  buyer: { name: 'Charles Babbage', email: 'charles@example.com' },
  checked_in: true,
  is_inside: true,
  checked_in_at: '2030-06-01T18:31:00.000Z',
};

export const toAttendeeFilter = ({ q, checked_in }: AttendeesQuery): AttendeeFilter => ({
  ...(q !== undefined && { q }),
  ...(checked_in !== undefined && { isCheckedIn: checked_in === 'true' }),
});

export const toAttendeeDto = (attendee: AttendeeView, orderCode: string): EventAttendeeDto => ({
  ticket_id: attendee.ticketId,
  ticket_type_id: attendee.typeId,
  ticket_type: attendee.typeName,
  order_code: orderCode,
  status: attendee.status,
  attendee:
    attendee.attendeeName === null ? null : { name: attendee.attendeeName, email: attendee.attendeeEmail },
  buyer: { name: attendee.buyerName, email: attendee.buyerEmail },
  checked_in: attendee.checkedInAt !== null,
  is_inside: attendee.isInside,
  checked_in_at: attendee.checkedInAt,
});
