import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Caller, organizerScopeOf } from '../auth/caller';
import { ApiId, ApiList, ApiProblems } from '../http/api-docs';
import { IdPipe } from '../http/id.pipe';
import { sendPage } from '../http/page';
import { OrderCodes } from '../inventory/order-codes';
import { InTurn } from '../rate-limit/turn.interceptor';
import {
  ATTENDEE_EXAMPLE,
  AttendeesQuery,
  EventAttendeeDto,
  toAttendeeDto,
  toAttendeeFilter,
} from './attendees.dto';
import { AttendeesService } from './attendees.service';
import type { AttendeeView } from './gate.repository';

@ApiTags('gate')
@Controller()
export class AttendeesController {
  constructor(
    private readonly attendees: AttendeesService,
    private readonly codes: OrderCodes,
  ) {}

  @Get('events/:event_id/attendees')
  @ApiOperation({
    operationId: 'listAttendees',
    summary: "List an event's attendees",
    description:
      'A row for each ticket that is paid, for the organizer. A page looks through 2,000 tickets: a search may answer short ' +
      'pages, even empty ones, while `Link` leads on.',
  })
  @ApiId('event_id')
  @InTurn('pages')
  @ApiList(EventAttendeeDto, [ATTENDEE_EXAMPLE])
  @ApiProblems('event_not_found', 'forbidden')
  async list(
    @Param('event_id', IdPipe) eventId: number,
    @Query() query: AttendeesQuery,
    @Caller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<EventAttendeeDto[]> {
    const filter = toAttendeeFilter(query);
    const page = await this.attendees.listByEvent(eventId, filter, organizerScopeOf(caller), query);
    const toDto = (attendee: AttendeeView) => toAttendeeDto(attendee, this.codes.codeOf(attendee.orderId));
    return sendPage(page, toDto, request, response);
  }
}
