import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { AtGate, ForDevices, type GateCaller } from '../auth/device';
import { ApiId, ApiProblems, LINK } from '../http/api-docs';
import { ApiCacheable, markConditional } from '../http/cacheable';
import { IdPipe } from '../http/id.pipe';
import { linkToNext } from '../http/page';
import { InTurn } from '../rate-limit/turn.interceptor';
import { GateDto, GateQueryDto, toGateDto } from './gate.dto';
import { GateService } from './gate.service';

@ApiTags('gate')
@Controller()
export class GateController {
  constructor(private readonly gates: GateService) {}

  @Get('events/:event_id/gate')
  @ForDevices()
  @ApiOperation({
    operationId: 'downloadGate',
    summary: 'Download what a device needs',
    description:
      'Keys, the tickets that are void since a cursor and, if asked for, who may come: with these a device lets in without a ' +
      'network. No e-mail addresses. For devices of the event and its organizer.',
  })
  @ApiId('event_id')
  @InTurn('pages')
  @ApiOkResponse({ type: GateDto, headers: LINK })
  @ApiCacheable()
  @ApiProblems('event_not_found', 'forbidden')
  async download(
    @Param('event_id', IdPipe) eventId: number,
    @Query() { cursor, limit, attendees }: GateQueryDto,
    @AtGate() caller: GateCaller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<GateDto> {
    const query = { ...(cursor !== undefined && { cursor }), limit, withAttendees: attendees === 'true' };
    const page = await this.gates.download(eventId, caller, query);
    if (page.isMore) response.setHeader('Link', linkToNext(request.originalUrl, page.cursor));
    const gate = toGateDto(page);
    // Another cursor behind the same lists leads to nothing that the first one would not lead to.
    markConditional(response, { ...gate, cursor: page.isMore });
    return gate;
  }
}
