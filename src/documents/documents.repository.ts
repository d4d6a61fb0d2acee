import { Injectable } from '@nestjs/common';
import { buyerIn, issuedAtIn, type OrderScope } from '../database/scope';
import { Statements } from '../database/statements';
import type { EventStatus } from '../events/event.entity';
import type { TicketStatus } from '../inventory/ticket-status';
import { SHOWN_ORDER, SHOWN_TICKET } from './documents.statements';

/** A ticket as its documents show it. */
export interface ShownTicket {
  id: number;
  orderId: number;
  eventId: number;
  ticketTypeId: number;
  generation: number;
  /** When its order was placed. */
  createdAt: Date;
  wasPaid: boolean;
  status: TicketStatus;
  type: string | null;
  attendee: string | null;
  title: string;
  description: string;
  place: string | null;
  latitude: number | null;
  longitude: number | null;
  startTime: Date;
  endTime: Date;
  timezone: string;
  version: number;
  eventStatus: EventStatus;
}

@Injectable()
export class DocumentsRepository {
  constructor(private readonly statements: Statements) {}

  async findTicket(id: number, scope: OrderScope): Promise<ShownTicket | undefined> {
    const [ticket] = await this.statements.run<ShownTicket>(SHOWN_TICKET, [id, ...valuesOf(scope)]);
    return ticket;
  }

  /** In the sequence of their ids. */
  async findByOrder(orderId: number, scope: OrderScope): Promise<ShownTicket[]> {
    return await this.statements.run<ShownTicket>(SHOWN_ORDER, [orderId, ...valuesOf(scope)]);
  }
}

const valuesOf = (scope: OrderScope) => [buyerIn(scope), issuedAtIn(scope), scope.by === 'party'];
