import { Injectable } from '@nestjs/common';
import { buyerIn, issuedAtIn, organizerIn, type OrderScope, type OrganizerScope } from '../database/scope';
import { Statements } from '../database/statements';
import type { KeyClaim } from '../idempotency/key-claim';
import { Problem } from '../problems/problem';
import { EXTEND_HOLD } from './extend-hold.statement';
import { runOnce } from './kept-outcome';
import type { OrderStatus } from './order-status';
import type { TicketStatus } from './ticket-status';
import { VOID_TICKET, VOID_TICKET_KEYED } from './void-ticket.statement';

interface ExtendAnswer {
  status: OrderStatus;
  paidAt: Date | null;
  /** Null where it is not extended. */
  expiresAt: Date | null;
  expiresInMs: number | null;
}

/** A ticket as the statement that voided it returns it. */
export interface VoidedTicket {
  id: number;
  orderId: number;
  userId: number;
  eventId: number;
  ticketTypeId: number;
  status: TicketStatus;
  price: number;
  attendeeName: string | null;
  attendeeEmail: string | null;
  createdAt: Date;
  expiresAt: Date;
  paidAt: Date | null;
}

type VoidAnswer = { isChanged: boolean; isTheirs: boolean | null; isBuyers: boolean | null } & (
  VoidedTicket | { id: null }
);

/** Changes to single orders and tickets that are rare, and so share no statements. */
@Injectable()
export class OrderChangesService {
  constructor(private readonly statements: Statements) {}

  /**
   * Lets a live hold end later: once, at twice its length from its creation.
   *
   * @throws {Problem} `order_not_found`, `order_not_extendable`
   */
  async extendHold(orderId: number, scope: OrderScope): Promise<{ expiresAt: Date; expiresInMs: number }> {
    const values = [orderId, buyerIn(scope), issuedAtIn(scope), scope.by === 'party'];
    const [answer] = await this.statements.change<ExtendAnswer>(EXTEND_HOLD, values);
    if (!answer) throw new Problem('order_not_found');
    const { status, paidAt, expiresAt, expiresInMs } = answer;
    if (expiresAt === null || expiresInMs === null)
      throw new Problem('order_not_extendable', {
        members: { order_status: status, ...(status === 'paid' && paidAt && { paid_at: paidAt }) },
      });
    return { expiresAt, expiresInMs };
  }

  /**
   * Takes a paid ticket back and gives its place back.
   *
   * @param claim the request's `Idempotency-Key`
   * @throws {Problem} `ticket_not_found`, `forbidden` to its buyer, `ticket_not_voidable`
   */
  async voidTicket(ticketId: number, scope: OrganizerScope, claim?: KeyClaim): Promise<VoidedTicket> {
    const values = [ticketId, organizerIn(scope), issuedAtIn(scope)];
    const statement = { plain: VOID_TICKET, keyed: VOID_TICKET_KEYED };
    const ticket = await runOnce<VoidAnswer>(this.statements, statement, values, claim);
    if (ticket.id === null || !(ticket.isTheirs || ticket.isBuyers)) throw new Problem('ticket_not_found');
    if (!ticket.isTheirs) throw new Problem('forbidden');
    if (!ticket.isChanged)
      throw new Problem('ticket_not_voidable', { members: { ticket_status: ticket.status } });
    return ticket;
  }
}
