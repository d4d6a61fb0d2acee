import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Caller, orderScopeOf, organizerScopeOf } from '../auth/caller';
import { Public } from '../auth/public';
import { EventsService } from '../events/events.service';
import { ApiId, ApiProblems } from '../http/api-docs';
import { ApiCacheable, markCacheable } from '../http/cacheable';
import { endsUnchanged, entityTag } from '../http/entity-tag';
import { IdPipe } from '../http/id.pipe';
import { OrderCodes } from '../inventory/order-codes';
import { calendarOf } from './calendar';
import { ApiDocument, sendDocument } from './document-answer';
import { DocumentsService } from './documents.service';

const ICS = 'text/calendar; charset=utf-8';

@ApiTags('documents')
@Controller()
export class CalendarsController {
  constructor(
    private readonly events: EventsService,
    private readonly documents: DocumentsService,
    private readonly codes: OrderCodes,
  ) {}

  @Public()
  @Get('events/:event_id.ics')
  @ApiOperation({
    operationId: 'getEventCalendar',
    summary: 'Put an event into a calendar',
    description:
      'At its local time. A cancelled event has `STATUS:CANCELLED`; a draft is seen by its organizer and admins alone.',
  })
  @ApiDocument('text/calendar', 'iCalendar (RFC 5545) with one entry')
  @ApiCacheable()
  @ApiId('event_id')
  @ApiProblems('event_not_found')
  async ofEvent(
    @Param('event_id', IdPipe) id: number,
    @Caller() caller: Caller | undefined,
    @Res() response: Response,
  ): Promise<void> {
    const event = await this.events.get(id, organizerScopeOf(caller));
    const { title, description, startTime, endTime, timezone } = event;
    const entry = {
      ...{ title, description, startTime, endTime, timezone },
      uid: uidOf('event', id, event.createdAt),
      sequence: event.version - 1,
      isCancelled: event.status === 'cancelled',
      place: event.venueAddress,
      latitude: event.venueLatitude,
      longitude: event.venueLongitude,
    };
    if (event.status !== 'draft') {
      markCacheable(response);
      // Of what it says: the stamp in it is the time of the answer.
      response.setHeader('ETag', entityTag(JSON.stringify(entry), event.version));
      if (endsUnchanged(response)) return;
    }
    sendDocument(response, ICS, `event-${id}.ics`, Buffer.from(calendarOf(entry)));
  }

  @Get('tickets/:ticket_id.ics')
  @ApiOperation({
    operationId: 'getTicketCalendar',
    summary: 'Put a ticket into a calendar',
    description:
      'Of a paid ticket, for its buyer and the organizer of its event; `STATUS:CANCELLED` once it is given back or its ' +
      'event cancelled.',
  })
  @ApiDocument('text/calendar', 'iCalendar (RFC 5545) with one entry')
  @ApiId('ticket_id')
  @ApiProblems('ticket_not_found', 'ticket_not_paid')
  async ofTicket(
    @Param('ticket_id', IdPipe) id: number,
    @Caller() caller: Caller,
    @Res() response: Response,
  ): Promise<void> {
    const ticket = await this.documents.ticketOfCalendar(id, orderScopeOf(caller));
    const isCancelled =
      ticket.eventStatus === 'cancelled' || !(ticket.status === 'paid' || ticket.status === 'blocked');
    const order = this.codes.codeOf(ticket.orderId);
    const calendar = calendarOf({
      ...ticket,
      uid: uidOf('ticket', id, ticket.createdAt),
      // A ticket that was cancelled stays so: with each change of either there is a number more.
      sequence: ticket.version - 1 + Number(isCancelled),
      isCancelled,
      description: [`${ticket.type ?? ''} · ${order}`, ticket.description].join('\n\n').trim(),
    });
    sendDocument(response, ICS, `ticket-${id}.ics`, Buffer.from(calendar));
  }
}

/** With when it was made: two servers have the same ids, and a calendar may have entries of both. */
const uidOf = (kind: string, id: number, createdAt: Date) =>
  `${kind}-${id}-${createdAt.getTime().toString(36)}@tixxety`;
