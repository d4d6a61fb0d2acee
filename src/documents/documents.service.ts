import { Injectable } from '@nestjs/common';
import { TicketTokens } from '../check-in/ticket-tokens';
import type { OrderScope } from '../database/scope';
import { OrderCodes } from '../inventory/order-codes';
import { Problem } from '../problems/problem';
import { DocumentPool } from './document-pool';
import { DocumentsRepository, type ShownTicket } from './documents.repository';
import type { PdfFormat, TicketPage } from './worker/ticket-page';

/** Makes the documents of tickets that are paid. */
@Injectable()
export class DocumentsService {
  constructor(
    private readonly repository: DocumentsRepository,
    private readonly tokens: TicketTokens,
    private readonly codes: OrderCodes,
    private readonly pool: DocumentPool,
  ) {}

  /**
   * A picture of the ticket's token.
   *
   * @param gone when it is aborted, it is no longer wanted
   * @throws {Problem} `ticket_not_found`, `ticket_not_paid`, `event_not_published`; `overloaded`
   */
  async qrOfTicket(
    id: number,
    kind: 'svg' | 'png',
    scope: OrderScope,
    gone: AbortSignal,
  ): Promise<Uint8Array> {
    const ticket = await this.paidTicket(id, scope);
    return await this.pool.make({ kind, token: await this.tokens.tokenOf(ticket) }, gone);
  }

  /** @throws {Problem} as `qrOfTicket` */
  async pdfOfTicket(
    id: number,
    format: PdfFormat,
    scope: OrderScope,
    gone: AbortSignal,
  ): Promise<Uint8Array> {
    return await this.pdfOf([await this.paidTicket(id, scope)], format, gone);
  }

  /**
   * A page for each ticket of the order that is paid.
   *
   * @throws {Problem} `order_not_found`, `order_without_tickets`, `event_not_published`; `overloaded`,
   *   `document_too_slow`
   */
  async pdfOfOrder(
    orderId: number,
    format: PdfFormat,
    scope: OrderScope,
    gone: AbortSignal,
  ): Promise<Uint8Array> {
    const tickets = await this.repository.findByOrder(orderId, scope);
    if (tickets.length === 0) throw new Problem('order_not_found');
    const paid = tickets.filter(({ status }) => status === 'paid');
    if (paid.length === 0) throw new Problem('order_without_tickets');
    paid.forEach(requireEvent);
    return await this.pdfOf(paid, format, gone);
  }

  /**
   * A ticket that is or was paid: others have no place in a calendar.
   *
   * @throws {Problem} `ticket_not_found`, `ticket_not_paid`
   */
  async ticketOfCalendar(id: number, scope: OrderScope): Promise<ShownTicket> {
    const ticket = await this.repository.findTicket(id, scope);
    if (!ticket) throw new Problem('ticket_not_found');
    if (!ticket.wasPaid) throw notPaid(ticket);
    return ticket;
  }

  private async paidTicket(id: number, scope: OrderScope): Promise<ShownTicket> {
    const ticket = await this.repository.findTicket(id, scope);
    if (!ticket) throw new Problem('ticket_not_found');
    if (ticket.status !== 'paid') throw notPaid(ticket);
    requireEvent(ticket);
    return ticket;
  }

  private async pdfOf(tickets: ShownTicket[], format: PdfFormat, gone: AbortSignal): Promise<Uint8Array> {
    const pages = await Promise.all(tickets.map((ticket) => this.pageOf(ticket)));
    return await this.pool.make({ kind: 'pdf', format, pages }, gone);
  }

  private async pageOf(ticket: ShownTicket): Promise<TicketPage> {
    const { place, startTime, endTime, timezone, attendee } = ticket;
    return {
      ticketId: ticket.id,
      token: await this.tokens.tokenOf(ticket),
      event: ticket.title,
      type: ticket.type ?? '',
      orderCode: this.codes.codeOf(ticket.orderId),
      ...{ place, startTime, endTime, timezone, attendee },
    };
  }
}

const notPaid = ({ status }: ShownTicket) =>
  new Problem('ticket_not_paid', { members: { ticket_status: status } });

/** Its money is on its way back: nobody is let in. */
function requireEvent({ eventStatus }: ShownTicket): void {
  if (eventStatus === 'cancelled')
    throw new Problem('event_not_published', {
      detail: 'The event was cancelled: its tickets are good no more',
    });
}
