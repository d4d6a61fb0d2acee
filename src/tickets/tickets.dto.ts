import { ApiProperty } from '@nestjs/swagger';
import { ApiInteger } from '../http/api-docs';
import { Id, MayBeLeftOut } from '../http/fields';
import { TICKET_STATUSES, type TicketStatus } from '../inventory/ticket-status';
import type { TicketView } from './tickets.repository';

export class ReserveTicketDto {
  /**
   * The buyer; left out: the caller. Only an admin may name another user.
   * @example 1
   */
  @MayBeLeftOut()
  @Id()
  user_id?: number;

  /**
   * What for.
   * @example 1
   */
  @Id()
  event_id: number;

  /**
   * Of which type; left out: the event's only visible one.
   * @example 1
   */
  @MayBeLeftOut()
  @Id()
  ticket_type_id?: number;
}

export class AttendeeDto {
  /** @example "Ada Lovelace" */
  name: string;

  @ApiProperty({ type: String, nullable: true, example: 'ada@example.com' })
  email: string | null;
}

export class TicketDto {
  /** @example 1 */
  @ApiInteger()
  id: number;

  /** @example 1 */
  @ApiInteger()
  user_id: number;

  /** @example 1 */
  @ApiInteger()
  event_id: number;

  /**
   * The order that it is part of.
   * @example "7ZZFG2K9QX"
   */
  order_code: string;

  /** @example 1 */
  @ApiInteger()
  ticket_type_id: number;

  /**
   * What is paid for it, in the minor unit of the event's currency.
   * @example 0
   */
  @ApiInteger()
  price: number;

  /** Null until somebody is named. */
  @ApiProperty({ type: AttendeeDto, nullable: true, example: null })
  attendee: AttendeeDto | null;

  /** @example "reserved" */
  @ApiProperty({ enum: TICKET_STATUSES })
  status: TicketStatus;

  /**
   * What its code shows at the gate, signed (RFC 7515); only while it is paid. Another one once it is handed on.
   * @example "eyJhbGciOiJFZERTQSIsImtpZCI6ImFaMyJ9.eyJ0IjoxLCJlIjoxLCJ5IjoxLCJnIjowfQ.2jwwaGFRq2xuzKHlEDM6DTSL5Sm2eIl_WgH6knLB_wIbHb2O9fBnqUS8VW5H1NOSB9LHd1WcFy9SBi-oU8bLCQ"
   */
  token?: string;

  /** @example "2030-01-01T12:00:00.000Z" */
  created_at: Date;

  /**
   * From this instant on the ticket can't be paid.
   * @example "2030-01-01T12:02:00.000Z"
   */
  expires_at: Date;

  /** Null until it is paid. */
  @ApiProperty({ example: null })
  paid_at: Date | null;

  /**
   * Milliseconds left to pay, by the server's clock; only while reserved.
   * @example 120000
   */
  @ApiInteger()
  expires_in_ms?: number;
}

const HOLD = {
  id: 1,
  user_id: 1,
  event_id: 1,
  order_code: '7ZZFG2K9QX',
  ticket_type_id: 1,
  price: 0,
  attendee: null,
  created_at: '2030-01-01T12:00:00.000Z',
  expires_at: '2030-01-01T12:02:00.000Z',
  paid_at: null,
};

const TOKEN =
  'eyJhbGciOiJFZERTQSIsImtpZCI6ImFaMyJ9.eyJ0IjoxLCJlIjoxLCJ5IjoxLCJnIjowfQ.' +
  '2jwwaGFRq2xuzKHlEDM6DTSL5Sm2eIl_WgH6knLB_wIbHb2O9fBnqUS8VW5H1NOSB9LHd1WcFy9SBi-oU8bLCQ';

/** A ticket in each state. */
export const TICKET_EXAMPLES = {
  reserved: { summary: 'Reserved', value: { ...HOLD, status: 'reserved', expires_in_ms: 120_000 } },
  paid: {
    summary: 'Paid',
    value: { ...HOLD, status: 'paid', token: TOKEN, paid_at: '2030-01-01T12:01:30.000Z' },
  },
  expired: { summary: 'Expired', value: { ...HOLD, status: 'expired' } },
  cancelled: { summary: 'Cancelled', value: { ...HOLD, status: 'cancelled' } },
};

/** @param token of a ticket that is paid */
export const toTicketDto = (ticket: TicketView, orderCode: string, token?: string): TicketDto => ({
  id: ticket.id,
  user_id: ticket.userId,
  event_id: ticket.eventId,
  order_code: orderCode,
  ticket_type_id: ticket.ticketTypeId,
  price: ticket.price,
  attendee: ticket.attendeeName === null ? null : { name: ticket.attendeeName, email: ticket.attendeeEmail },
  status: ticket.status,
  ...(token !== undefined && { token }),
  created_at: ticket.createdAt,
  expires_at: ticket.expiresAt,
  paid_at: ticket.paidAt,
  ...(ticket.status === 'reserved' && { expires_in_ms: ticket.expiresInMs }),
});
