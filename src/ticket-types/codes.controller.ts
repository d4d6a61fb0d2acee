import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Caller, organizerScopeOf } from '../auth/caller';
import { ApiCreated, ApiId, ApiList, ApiProblems } from '../http/api-docs';
import { IdPipe } from '../http/id.pipe';
import { PageQuery, sendPage } from '../http/page';
import { Idempotent, type Once } from '../idempotency/idempotent.decorator';
import { InTurn } from '../rate-limit/turn.interceptor';
import { CodeDto, CreateCodeDto, toCodeChanges, toCodeDto, toCodeFields, UpdateCodeDto } from './codes.dto';
import { CodesService } from './codes.service';

@ApiTags('ticket-types')
@Controller()
export class CodesController {
  constructor(private readonly codes: CodesService) {}

  @Post('events/:event_id/codes')
  @Idempotent()
  @ApiOperation({
    operationId: 'createCode',
    summary: 'Create a code',
    description:
      'A discount, or what opens hidden ticket types, or both. One order uses it once, whatever it takes. A percentage is ' +
      'taken off each ticket and rounded half up; an amount is taken off the order, and never more than it costs.',
  })
  @ApiId('event_id')
  @ApiBody({
    type: CreateCodeDto,
    examples: {
      percentage: {
        summary: 'A quarter off, a hundred times',
        value: { code: 'SUMMER25', percent_off: 25, max_uses: 100 },
      },
      amount: { summary: '5,00 € off, where the event has EUR', value: { code: 'FIVE', amount_off: 500 } },
      key: { summary: 'Opens a hidden ticket type', value: { code: 'FRIENDS', ticket_type_ids: [1] } },
    },
  })
  @ApiCreated(CodeDto)
  @ApiProblems('event_not_found', 'forbidden', 'code_taken', 'too_many_in_event')
  async create(
    @Param('event_id', IdPipe) eventId: number,
    @Body() body: CreateCodeDto,
    @Caller() caller: Caller,
    @Res({ passthrough: true }) response: Response,
    once: Once,
  ): Promise<CodeDto> {
    return await once(async () => {
      const code = await this.codes.create(eventId, toCodeFields(body), organizerScopeOf(caller));
      response.location(`/codes/${code.id}`);
      return toCodeDto(code);
    });
  }

  @Get('events/:event_id/codes')
  @ApiOperation({
    operationId: 'listCodes',
    summary: "List an event's codes",
    description: 'With their uses, newest first. For the organizer.',
  })
  @ApiId('event_id')
  @InTurn('pages')
  @ApiList(CodeDto)
  @ApiProblems('event_not_found', 'forbidden')
  async list(
    @Param('event_id', IdPipe) eventId: number,
    @Query() query: PageQuery,
    @Caller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CodeDto[]> {
    const page = await this.codes.listByEvent(eventId, organizerScopeOf(caller), query);
    return sendPage(page, toCodeDto, request, response);
  }

  @Get('codes/:code_id')
  @ApiOperation({
    operationId: 'getCode',
    summary: 'Show a code',
    description: 'With its uses. For the organizer.',
  })
  @ApiId('code_id')
  @ApiProblems('code_not_found')
  async get(@Param('code_id', IdPipe) id: number, @Caller() caller: Caller): Promise<CodeDto> {
    return toCodeDto(await this.codes.get(id, organizerScopeOf(caller)));
  }

  @Patch('codes/:code_id')
  @ApiOperation({
    operationId: 'updateCode',
    summary: 'Change a code',
    description: 'What is left out stays as it is. Orders that were placed keep their discount.',
  })
  @ApiId('code_id')
  @ApiBody({
    type: UpdateCodeDto,
    examples: { longer: { summary: 'Twice as many', value: { max_uses: 200 } } },
  })
  @ApiProblems('code_not_found', 'code_taken', 'capacity_in_use')
  async update(
    @Param('code_id', IdPipe) id: number,
    @Body() body: UpdateCodeDto,
    @Caller() caller: Caller,
  ): Promise<CodeDto> {
    return toCodeDto(await this.codes.update(id, toCodeChanges(body), organizerScopeOf(caller)));
  }

  @Delete('codes/:code_id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteCode',
    summary: 'Delete a code',
    description: 'Orders that use it keep their discount; another code may have its name.',
  })
  @ApiId('code_id')
  @ApiNoContentResponse({ description: 'Deleted' })
  @ApiProblems('code_not_found')
  async delete(@Param('code_id', IdPipe) id: number, @Caller() caller: Caller): Promise<void> {
    await this.codes.delete(id, organizerScopeOf(caller));
  }
}
