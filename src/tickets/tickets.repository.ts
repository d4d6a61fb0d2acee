import { Injectable } from '@nestjs/common';
import {
  buyerIn,
  buyerThere,
  issuedAtIn,
  orderInScope,
  type OrderScope,
  type Scope,
  type Subject,
} from '../database/scope';
import { Statements } from '../database/statements';
import { HAND_ON_TICKET } from './hand-on-ticket.statement';
import type { TicketStatus } from '../inventory/ticket-status';

/** A ticket as it is now, by the database's clock. */
export interface TicketView {
  id: number;
  orderId: number;
  userId: number;
  eventId: number;
  ticketTypeId: number;
  status: TicketStatus;
  price: number;
  generation: number;
  attendeeName: string | null;
  attendeeEmail: string | null;
  createdAt: Date;
  expiresAt: Date;
  paidAt: Date | null;
  /** Milliseconds left to pay; 0 when there are none. */
  expiresInMs: number;
}

/** The attendee of a ticket. */
export interface NewAttendee {
  name: string;
  email?: string | null;
}

/** A hold that is due counts as expired even before anything has released it. */
const SELECT = `
    SELECT id, order_id AS "orderId", user_id AS "userId", event_id AS "eventId", ticket_type_id AS "ticketTypeId",
      CASE WHEN status = 'reserved' AND expires_at <= now() AND NOT is_paying THEN 'expired' ELSE status END AS status,
      price, generation, attendee_name AS "attendeeName", attendee_email AS "attendeeEmail",
      created_at AS "createdAt", expires_at AS "expiresAt", paid_at AS "paidAt",
      greatest(0, ceil(extract(epoch FROM expires_at - now()) * 1000))::int8 AS "expiresInMs"
    FROM ticket_states`;

const FIND = {
  name: 'find_ticket',
  text: `${SELECT}, (SELECT ${buyerThere('$2::bigint', '$3::bigint')} AS caller_id) AS caller
    WHERE id = $1 AND ${orderInScope('caller_id', '$4::bool', 'ticket_states')}`,
};

const LIST = {
  text: `${SELECT}
    WHERE user_id = ${buyerThere('$1::bigint', '$2::bigint')} AND order_id <= $3
      AND (order_id < $3 OR id < $4)
    ORDER BY order_id DESC, id DESC
    LIMIT $5`,
};

/** The last ticket of a page: the next one goes on behind it. */
export type TicketKey = [orderId: number, id: number];

@Injectable()
export class TicketsRepository {
  constructor(private readonly statements: Statements) {}

  async findById(id: number, scope: OrderScope): Promise<TicketView | undefined> {
    const values = [id, buyerIn(scope), issuedAtIn(scope), scope.by === 'party'];
    const [ticket] = await this.statements.run<TicketView>(FIND, values);
    return ticket;
  }

  /** @returns what became of it, undefined where there is no such ticket */
  async handOn(
    id: number,
    scope: Scope,
    { name, email }: NewAttendee,
  ): Promise<{ isBuyers: boolean; isOrganizers: boolean; isChanged: boolean } | undefined> {
    const values = [id, buyerIn(scope), issuedAtIn(scope), name, email ?? null];
    const [outcome] = await this.statements.change<{
      isBuyers: boolean;
      isOrganizers: boolean;
      isChanged: boolean;
    }>(HAND_ON_TICKET, values);
    return outcome;
  }

  /** Newest first, from behind the ticket `before`. */
  async listByUser(
    { userId, issuedAt }: Subject,
    [orderId, id]: TicketKey,
    limit: number,
  ): Promise<TicketView[]> {
    return await this.statements.list<TicketView>(LIST, [userId, issuedAt ?? null, orderId, id, limit]);
  }
}
