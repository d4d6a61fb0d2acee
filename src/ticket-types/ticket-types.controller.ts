import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Caller, organizerScopeOf } from '../auth/caller';
import { Public } from '../auth/public';
import { ApiCreated, ApiId, ApiList, ApiProblems } from '../http/api-docs';
import { ApiCacheable, markCacheable } from '../http/cacheable';
import { IdPipe } from '../http/id.pipe';
import { PageQuery, sendPage } from '../http/page';
import { Idempotent, type Once } from '../idempotency/idempotent.decorator';
import { InTurn } from '../rate-limit/turn.interceptor';
import {
  CreateTicketTypeDto,
  TicketTypeDto,
  toTicketTypeChanges,
  toTicketTypeDto,
  toTicketTypeFields,
  UpdateTicketTypeDto,
} from './ticket-types.dto';
import { TicketTypesService } from './ticket-types.service';

@ApiTags('ticket-types')
@Controller()
export class TicketTypesController {
  constructor(private readonly types: TicketTypesService) {}

  @Post('events/:event_id/ticket-types')
  @Idempotent()
  @ApiOperation({
    operationId: 'createTicketType',
    summary: 'Create a ticket type',
    description:
      'With `capacity` it gets a quota of its own, with `quota_id` it shares one. A price above 0 needs the currency of the event.',
  })
  @ApiId('event_id')
  @ApiBody({
    type: CreateTicketTypeDto,
    examples: {
      plain: { summary: 'Free, as many as the event has places', value: { name: 'Standing', price: 0 } },
      limited: {
        summary: 'Some of the places, for a while',
        value: {
          name: 'Balcony',
          price: 0,
          capacity: 120,
          sales_until: '2030-06-01T18:00:00Z',
          max_per_order: 4,
        },
      },
      hidden: { summary: 'For those with a code', value: { name: 'Friends', price: 0, is_hidden: true } },
    },
  })
  @ApiCreated(TicketTypeDto)
  @ApiProblems('event_not_found', 'forbidden', 'too_many_in_event')
  async create(
    @Param('event_id', IdPipe) eventId: number,
    @Body() body: CreateTicketTypeDto,
    @Caller() caller: Caller,
    @Res({ passthrough: true }) response: Response,
    once: Once,
  ): Promise<TicketTypeDto> {
    return await once(async () => {
      const type = await this.types.create(eventId, toTicketTypeFields(body), organizerScopeOf(caller));
      response.location(`/ticket-types/${type.id}`);
      return toTicketTypeDto(type);
    });
  }

  @Public()
  @Get('events/:event_id/ticket-types')
  @ApiOperation({
    operationId: 'listTicketTypes',
    summary: "List an event's ticket types",
    description:
      'In the order of their `position`, with what is available of each now. Hidden ones, and those of a draft, are seen by ' +
      'the organizer and admins.',
  })
  @ApiId('event_id')
  @ApiCacheable()
  @InTurn('pages')
  @ApiList(TicketTypeDto)
  @ApiProblems('event_not_found')
  async list(
    @Param('event_id', IdPipe) eventId: number,
    @Query() query: PageQuery,
    @Caller() caller: Caller | undefined,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TicketTypeDto[]> {
    const page = await this.types.listByEvent(eventId, organizerScopeOf(caller), query);
    // What others may see is not what the organizer sees.
    response.vary('Authorization');
    if (!page.isTheirs) markCacheable(response);
    return sendPage(page, toTicketTypeDto, request, response);
  }

  @Public()
  @Get('ticket-types/:ticket_type_id')
  @ApiOperation({
    operationId: 'getTicketType',
    summary: 'Show a ticket type',
    description: 'A hidden one, or one of a draft, to the organizer alone.',
  })
  @ApiId('ticket_type_id')
  @ApiProblems('ticket_type_not_found')
  async get(
    @Param('ticket_type_id', IdPipe) id: number,
    @Caller() caller: Caller | undefined,
  ): Promise<TicketTypeDto> {
    return toTicketTypeDto(await this.types.get(id, organizerScopeOf(caller)));
  }

  @Patch('ticket-types/:ticket_type_id')
  @ApiOperation({
    operationId: 'updateTicketType',
    summary: 'Change a ticket type',
    description:
      'What is left out stays as it is. Orders that were placed keep the price that they were placed at. The quota ' +
      'can change until there are tickets of the type; the `capacity` of its own quota always can.',
  })
  @ApiId('ticket_type_id')
  @ApiBody({
    type: UpdateTicketTypeDto,
    examples: { rename: { summary: 'Another name', value: { name: 'Upper balcony' } } },
  })
  @ApiProblems(
    'ticket_type_not_found',
    'forbidden',
    'ticket_type_has_tickets',
    'capacity_in_use',
    'too_many_in_event',
  )
  async update(
    @Param('ticket_type_id', IdPipe) id: number,
    @Body() body: UpdateTicketTypeDto,
    @Caller() caller: Caller,
  ): Promise<TicketTypeDto> {
    return toTicketTypeDto(await this.types.update(id, toTicketTypeChanges(body), organizerScopeOf(caller)));
  }

  @Delete('ticket-types/:ticket_type_id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteTicketType',
    summary: 'Delete a ticket type',
    description:
      'It is gone from every list and sells nothing any more; tickets of it stay good. The last type of an event may go, ' +
      'too: the event then sells nothing until it gets another.',
  })
  @ApiId('ticket_type_id')
  @ApiNoContentResponse({ description: 'Deleted' })
  @ApiProblems('ticket_type_not_found', 'forbidden')
  async delete(@Param('ticket_type_id', IdPipe) id: number, @Caller() caller: Caller): Promise<void> {
    await this.types.archive(id, organizerScopeOf(caller));
  }
}
