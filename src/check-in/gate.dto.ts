import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { ApiInteger } from '../http/api-docs';
import { Int, NumberFromQuery } from '../http/fields';
import { EVENT_STATUSES, type EventStatus } from '../events/event.entity';
import { IsCursor } from '../http/page';
import { TicketKeyDto } from './jwks.dto';
import type { GatePage } from './gate.service';

export class GateQueryDto {
  @ApiPropertyOptional({ description: 'The `cursor` of the answer before; left out: from the beginning.' })
  @IsOptional()
  @IsCursor()
  cursor?: string;

  @ApiPropertyOptional({ default: 1_000, description: 'How many of each list to return at most.' })
  @NumberFromQuery()
  @IsOptional()
  @Int(1, 2_000)
  limit: number = 1_000;

  /** `true`: also who may come, from the first to the last over all pages. */
  @IsOptional()
  @IsIn(['true', 'false'], { message: 'must be true or false' })
  @ApiPropertyOptional({ enum: ['true', 'false'] })
  attendees?: 'true' | 'false';
}

export class GateEventDto {
  /** @example 1 */
  @ApiInteger()
  id: number;

  /** @example "Night of the Analytical Engine" */
  title: string;

  /**
   * Of a cancelled one no ticket is let in.
   * @example "published"
   */
  @ApiProperty({ enum: EVENT_STATUSES })
  status: EventStatus;

  /** @example "2030-06-01T19:00:00.000Z" */
  start_time: Date;

  /** @example "2030-06-01T22:00:00.000Z" */
  end_time: Date;

  /** @example "Europe/Berlin" */
  timezone: string;
}

export class ReissuedTicketDto {
  /** @example 7 */
  @ApiInteger()
  ticket_id: number;

  /**
   * The `g` of the only token that is good; 0 as it was sold.
   * @example 1
   */
  @ApiInteger()
  generation: number;
}

export class ListedAttendeeDto {
  /** @example 1 */
  @ApiInteger()
  ticket_id: number;

  /** @example "Stalls" */
  ticket_type: string;

  /**
   * Of whom the ticket names, or else of its buyer.
   * @example "Ada Lovelace"
   */
  name: string;
}

export class GateDto {
  @ApiProperty({ type: GateEventDto })
  event: GateEventDto;

  /** Those of `GET /.well-known/jwks.json`. */
  @ApiProperty({ type: [TicketKeyDto] })
  keys: TicketKeyDto[];

  /** Tickets that are not let in, since the cursor. */
  @ApiProperty({ type: 'array', items: { type: 'integer' }, example: [3] })
  void: number[];

  /** Tickets that were handed on, or are good again, since the cursor: not void, and good with one generation alone. */
  @ApiProperty({ type: [ReissuedTicketDto] })
  reissued: ReissuedTicketDto[];

  /** Where the next download goes on; `Link` leads there while more is to be had at once. */
  @ApiProperty({ example: 'WyI4ZjNhIiw3NDksOTAwNzE5OTI1NDc0MDk5MV0' })
  cursor: string;

  /** Where they are asked for. */
  @ApiPropertyOptional({ type: [ListedAttendeeDto] })
  attendees?: ListedAttendeeDto[];
}

export const toGateDto = ({ gate, keys, reissued, attendees, cursor, ...page }: GatePage): GateDto => ({
  event: {
    id: gate.id,
    title: gate.title,
    status: gate.status,
    start_time: gate.startTime,
    end_time: gate.endTime,
    timezone: gate.timezone,
  },
  keys,
  void: page.void,
  reissued: reissued.map(({ ticketId, generation }) => ({ ticket_id: ticketId, generation })),
  cursor,
  ...(attendees && {
    attendees: attendees.map(({ ticketId, typeName, name }) => ({
      ticket_id: ticketId,
      ticket_type: typeName,
      name,
    })),
  }),
});
