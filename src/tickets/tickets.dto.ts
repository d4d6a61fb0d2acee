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

  /** @example "reserved" */
  @ApiProperty({ enum: TICKET_STATUSES })
  status: TicketStatus;

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
  created_at: '2030-01-01T12:00:00.000Z',
  expires_at: '2030-01-01T12:02:00.000Z',
  paid_at: null,
};

/** A ticket in each state. */
export const TICKET_EXAMPLES = {
  reserved: { summary: 'Reserved', value: { ...HOLD, status: 'reserved', expires_in_ms: 120_000 } },
  paid: { summary: 'Paid', value: { ...HOLD, status: 'paid', paid_at: '2030-01-01T12:01:30.000Z' } },
  expired: { summary: 'Expired', value: { ...HOLD, status: 'expired' } },
  cancelled: { summary: 'Cancelled', value: { ...HOLD, status: 'cancelled' } },
};

export const toTicketDto = (ticket: TicketView): TicketDto => ({
  id: ticket.id,
  user_id: ticket.userId,
  event_id: ticket.eventId,
  status: ticket.status,
  created_at: ticket.createdAt,
  expires_at: ticket.expiresAt,
  paid_at: ticket.paidAt,
  ...(ticket.status === 'reserved' && { expires_in_ms: ticket.expiresInMs }),
});
