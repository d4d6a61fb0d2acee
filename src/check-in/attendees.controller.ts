import { Controller, Get, Param, Query, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Caller, organizerScopeOf } from '../auth/caller';
import { ApiId, ApiList, ApiProblems } from '../http/api-docs';
import { ApiCsv, wantsCsv } from '../http/csv';
import { IdPipe } from '../http/id.pipe';
import { sendPage } from '../http/page';
import { OrderCodes } from '../inventory/order-codes';
import { CSV_PAGE, CsvExports } from '../rate-limit/csv-exports';
import { InTurn } from '../rate-limit/turn.interceptor';
import { columnsOfAttendees } from './attendees-columns';
import {
  ATTENDEE_EXAMPLE,
  AttendeesQuery,
  EventAttendeeDto,
  toAttendeeDto,
  toAttendeeFilter,
} from './attendees.dto';
import { AttendeesService } from './attendees.service';
import type { AttendeeView, TicketPosition } from './gate.repository';

@ApiTags('gate')
@Controller()
export class AttendeesController {
  constructor(
    private readonly attendees: AttendeesService,
    private readonly codes: OrderCodes,
    private readonly csv: CsvExports,
  ) {}

  @Get('events/:event_id/attendees')
  @ApiOperation({
    operationId: 'listAttendees',
    summary: "List an event's attendees",
    description:
      'A row for each ticket that is paid, for the organizer. A page looks through 2,000 tickets: a search may answer short ' +
      'pages, even empty ones, while `Link` leads on. With `Accept: text/csv` it answers every row, whatever `limit` and ' +
      '`cursor` say.',
  })
  @ApiId('event_id')
  @InTurn('pages')
  @ApiList(EventAttendeeDto, [ATTENDEE_EXAMPLE])
  @ApiCsv()
  @ApiProblems('event_not_found', 'forbidden')
  async list(
    @Param('event_id', IdPipe) eventId: number,
    @Query() query: AttendeesQuery,
    @Caller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<EventAttendeeDto[] | StreamableFile> {
    const filter = toAttendeeFilter(query);
    const scope = organizerScopeOf(caller);
    if (wantsCsv(request, response)) {
      return await this.csv.send(request, response, {
        name: `attendees-${eventId}`,
        columns: columnsOfAttendees(this.codes),
        hasMark: query.bom === 'true',
        read: (after?: TicketPosition) => this.attendees.export(eventId, filter, scope, CSV_PAGE, after),
      });
    }
    const page = await this.attendees.listByEvent(eventId, filter, scope, query);
    const toDto = (attendee: AttendeeView) => toAttendeeDto(attendee, this.codes.codeOf(attendee.orderId));
    return sendPage(page, toDto, request, response);
  }
}
