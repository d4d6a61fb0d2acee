import { Body, Controller, Get, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Caller, organizerScopeOf } from '../auth/caller';
import { ApiCreated, ApiId, ApiList, ApiProblems } from '../http/api-docs';
import { IdPipe } from '../http/id.pipe';
import { PageQuery, sendPage } from '../http/page';
import { Idempotent, type Once } from '../idempotency/idempotent.decorator';
import { InTurn } from '../rate-limit/turn.interceptor';
import { CreateQuotaDto, QuotaDto, toQuotaDto, UpdateQuotaDto } from './quotas.dto';
import { QuotasService } from './quotas.service';

@ApiTags('ticket-types')
@Controller()
export class QuotasController {
  constructor(private readonly quotas: QuotasService) {}

  @Post('events/:event_id/quotas')
  @Idempotent()
  @ApiOperation({
    operationId: 'createQuota',
    summary: 'Create a quota',
    description:
      'Places that ticket types of the event share: a ticket takes one of the event, and one of this.',
  })
  @ApiId('event_id')
  @ApiCreated(QuotaDto, { id: 1, event_id: 1, name: 'Balcony', capacity: 120, held: 0, sold: 0 })
  @ApiProblems('event_not_found', 'forbidden', 'too_many_in_event')
  async create(
    @Param('event_id', IdPipe) eventId: number,
    @Body() body: CreateQuotaDto,
    @Caller() caller: Caller,
    @Res({ passthrough: true }) response: Response,
    once: Once,
  ): Promise<QuotaDto> {
    return await once(async () => {
      const quota = await this.quotas.create(eventId, body, organizerScopeOf(caller));
      response.location(`/quotas/${quota.id}`);
      return toQuotaDto(quota);
    });
  }

  @Get('events/:event_id/quotas')
  @ApiOperation({
    operationId: 'listQuotas',
    summary: "List an event's quotas",
    description: 'Those of single ticket types included, oldest first. For the organizer.',
  })
  @ApiId('event_id')
  @InTurn('pages')
  @ApiList(QuotaDto)
  @ApiProblems('event_not_found', 'forbidden')
  async list(
    @Param('event_id', IdPipe) eventId: number,
    @Query() query: PageQuery,
    @Caller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<QuotaDto[]> {
    const page = await this.quotas.listByEvent(eventId, organizerScopeOf(caller), query);
    return sendPage(page, toQuotaDto, request, response);
  }

  @Get('quotas/:quota_id')
  @ApiOperation({
    operationId: 'getQuota',
    summary: 'Show a quota',
    description: 'For the organizer.',
  })
  @ApiId('quota_id')
  @ApiProblems('quota_not_found')
  async get(@Param('quota_id', IdPipe) id: number, @Caller() caller: Caller): Promise<QuotaDto> {
    return toQuotaDto(await this.quotas.get(id, organizerScopeOf(caller)));
  }

  @Patch('quotas/:quota_id')
  @ApiOperation({
    operationId: 'updateQuota',
    summary: 'Change a quota',
    description:
      'What is left out stays as it is. The capacity can be anything from what is held and sold on.',
  })
  @ApiId('quota_id')
  @ApiProblems('quota_not_found', 'capacity_in_use')
  async update(
    @Param('quota_id', IdPipe) id: number,
    @Body() body: UpdateQuotaDto,
    @Caller() caller: Caller,
  ): Promise<QuotaDto> {
    return toQuotaDto(await this.quotas.update(id, body, organizerScopeOf(caller)));
  }
}
