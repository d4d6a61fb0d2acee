import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Caller, organizerScopeOf } from '../auth/caller';
import { ApiId, ApiList, ApiProblems } from '../http/api-docs';
import { IdPipe } from '../http/id.pipe';
import { sendPage } from '../http/page';
import { InTurn } from '../rate-limit/turn.interceptor';
import { CheckInsQuery, KEPT_EXAMPLE, KeptCheckInDto, toKeptDto } from './check-in-log.dto';
import { CheckInLogService } from './check-in-log.service';

@ApiTags('gate')
@Controller()
export class CheckInLogController {
  constructor(private readonly log: CheckInLogService) {}

  @Get('events/:event_id/check-ins')
  @ApiOperation({
    operationId: 'listCheckIns',
    summary: "List an event's check-ins",
    description:
      'All that was scanned, newest first, with what it came to. Where two devices let the same ticket in, `device` and ' +
      '`earlier` name both. For the organizer.',
  })
  @ApiId('event_id')
  @InTurn('pages')
  @ApiList(KeptCheckInDto, [KEPT_EXAMPLE])
  @ApiProblems('event_not_found', 'forbidden')
  async list(
    @Param('event_id', IdPipe) eventId: number,
    @Query() query: CheckInsQuery,
    @Caller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<KeptCheckInDto[]> {
    const page = await this.log.listByEvent(
      eventId,
      query.conflict === 'true',
      organizerScopeOf(caller),
      query,
    );
    return sendPage(page, toKeptDto, request, response);
  }
}
