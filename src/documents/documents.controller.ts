import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Caller, orderScopeOf } from '../auth/caller';
import { ApiId, ApiOrderCode, ApiProblems } from '../http/api-docs';
import { IdPipe } from '../http/id.pipe';
import { Gone } from '../http/under-way';
import { OrderCodes } from '../inventory/order-codes';
import { OrdersService } from '../orders/orders.service';
import { InTurn } from '../rate-limit/turn.interceptor';
import { ApiDocument, sendDocument } from './document-answer';
import { PdfQuery } from './documents.dto';
import { DocumentsService } from './documents.service';

const PDF = 'application/pdf';
const SVG = 'image/svg+xml';
const PNG = 'image/png';

@ApiTags('documents')
@Controller()
@InTurn('documents')
export class DocumentsController {
  constructor(
    private readonly documents: DocumentsService,
    private readonly orders: OrdersService,
    private readonly codes: OrderCodes,
  ) {}

  @Get('tickets/:ticket_id/qr.svg')
  @ApiOperation({
    operationId: 'getTicketQrSvg',
    summary: "Show a ticket's QR code",
    description:
      'Of a paid ticket, for its buyer and the organizer of its event: its `token`, to be scanned.',
  })
  @ApiDocument(SVG, 'The code in black on white, at any size')
  @ApiId('ticket_id')
  @ApiProblems('ticket_not_found', 'ticket_not_paid', 'event_not_published', 'overloaded')
  async svg(
    @Param('ticket_id', IdPipe) id: number,
    @Caller() caller: Caller,
    @Gone() gone: AbortSignal,
    @Res() response: Response,
  ): Promise<void> {
    const svg = await this.documents.qrOfTicket(id, 'svg', orderScopeOf(caller), gone);
    sendDocument(response, SVG, `ticket-${id}.svg`, svg);
  }

  @Get('tickets/:ticket_id/qr.png')
  @ApiOperation({
    operationId: 'getTicketQrPng',
    summary: "Show a ticket's QR code as pixels",
    description: 'As `qr.svg`, some 500 pixels wide.',
  })
  @ApiDocument(PNG, 'The code in black on white')
  @ApiId('ticket_id')
  @ApiProblems('ticket_not_found', 'ticket_not_paid', 'event_not_published', 'overloaded')
  async png(
    @Param('ticket_id', IdPipe) id: number,
    @Caller() caller: Caller,
    @Gone() gone: AbortSignal,
    @Res() response: Response,
  ): Promise<void> {
    const png = await this.documents.qrOfTicket(id, 'png', orderScopeOf(caller), gone);
    sendDocument(response, PNG, `ticket-${id}.png`, png);
  }

  @Get('tickets/:ticket_id.pdf')
  @ApiOperation({
    operationId: 'getTicketPdf',
    summary: 'Print a ticket',
    description:
      'A page with event, place, local time, attendee, type, order and QR code, for the buyer of a paid ticket and the ' +
      'organizer of its event.',
  })
  @ApiDocument(PDF, 'The ticket')
  @ApiId('ticket_id')
  @ApiProblems('ticket_not_found', 'ticket_not_paid', 'event_not_published', 'overloaded')
  async ticketPdf(
    @Param('ticket_id', IdPipe) id: number,
    @Query() { format }: PdfQuery,
    @Caller() caller: Caller,
    @Gone() gone: AbortSignal,
    @Res() response: Response,
  ): Promise<void> {
    const pdf = await this.documents.pdfOfTicket(id, format, orderScopeOf(caller), gone);
    sendDocument(response, PDF, `ticket-${id}.pdf`, pdf);
  }

  @Get('orders/:code.pdf')
  @ApiOperation({
    operationId: 'getOrderPdf',
    summary: 'Print the tickets of an order',
    description: 'A page for each of them that is paid.',
  })
  @ApiDocument(PDF, 'The tickets')
  @ApiOrderCode()
  @ApiProblems(
    'order_not_found',
    'order_without_tickets',
    'event_not_published',
    'overloaded',
    'document_too_slow',
  )
  async orderPdf(
    @Param('code') code: string,
    @Query() { format }: PdfQuery,
    @Caller() caller: Caller,
    @Gone() gone: AbortSignal,
    @Res() response: Response,
  ): Promise<void> {
    const id = this.orders.idOf(code);
    const pdf = await this.documents.pdfOfOrder(id, format, orderScopeOf(caller), gone);
    // The code as it is written, not as it was asked for.
    sendDocument(response, PDF, `order-${this.codes.codeOf(id)}.pdf`, pdf);
  }
}
