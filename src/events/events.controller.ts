import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Caller, userFor } from '../auth/caller';
import { Public } from '../auth/public';
import { ApiCreated, ApiId, ApiList, ApiProblems } from '../http/api-docs';
import { TakesBody } from '../http/body.guard';
import { ApiCacheable, markCacheable } from '../http/cacheable';
import { IdPipe } from '../http/id.pipe';
import { sendPage } from '../http/page';
import { Idempotent, type Once } from '../idempotency/idempotent.decorator';
import { EventLimit } from '../rate-limit/event-limit';
import { InTurn } from '../rate-limit/turn.interceptor';
import { toTicketTypeFields } from '../ticket-types/ticket-types.dto';
import { EventsQuery, NearbyEventsQuery, toEventFilter, toNearbyFilter } from './events-query.dto';
import {
  CREATE_EVENT_EXAMPLE,
  CreateEventDto,
  EVENT_EXAMPLE,
  EventDto,
  ListedEventDto,
  NearbyEventDto,
  toEventDto,
  toListedEventDto,
  toNewEvent,
} from './events.dto';
import { EventsService } from './events.service';

@ApiTags('events')
@Controller()
export class EventsController {
  constructor(
    private readonly events: EventsService,
    private readonly limit: EventLimit,
  ) {}

  @Post('events')
  // A description of 10,000 characters may take 120 kB, with each escaped as two surrogates, and those of 20 ticket types
  // 264 kB.
  @TakesBody({ maxBytes: 512 * 1_024 })
  @Idempotent()
  @ApiOperation({
    operationId: 'createEvent',
    summary: 'Create an event',
    description:
      'The caller becomes its organizer. Without `ticket_types` it has one type, which is free. Where the server ' +
      'is set so, only an admin may.',
  })
  @ApiBody({
    type: CreateEventDto,
    examples: {
      plain: { summary: 'With one free ticket type', value: CREATE_EVENT_EXAMPLE },
      types: {
        summary: 'With several ticket types',
        value: {
          ...CREATE_EVENT_EXAMPLE,
          ticket_types: [
            { name: 'Standing', price: 0 },
            { name: 'Balcony', price: 0, capacity: 120, max_per_order: 4 },
          ],
        },
      },
    },
  })
  @ApiCreated(EventDto, { ...EVENT_EXAMPLE, tickets_sold: 0, tickets_held: 0, tickets_available: 500 })
  @ApiProblems('forbidden', 'event_limit_reached')
  async create(
    @Body() body: CreateEventDto,
    @Caller() caller: Caller,
    @Res({ passthrough: true }) response: Response,
    once: Once,
  ): Promise<EventDto> {
    const newEvent = toNewEvent(body, caller.userId);
    const types = body.ticket_types?.map(toTicketTypeFields);
    const create = async () => {
      const event = await this.events.create(newEvent, body.total_tickets, caller, types);
      response.location(`/events/${event.id}`);
      return toEventDto(event);
    };
    return await this.limit.within(caller, response, () => once(create));
  }

  @Public()
  @Get('events')
  @ApiOperation({
    operationId: 'listEvents',
    summary: 'List events',
    description: 'Past ones included, in the order of their start unless `sort` says otherwise.',
  })
  @ApiCacheable()
  @InTurn('pages')
  @ApiList(ListedEventDto, [EVENT_EXAMPLE])
  @ApiProblems()
  async list(
    @Query() query: EventsQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListedEventDto[]> {
    const page = await this.events.list(toEventFilter(query), query);
    markCacheable(response);
    return sendPage(page, toListedEventDto, request, response);
  }

  @Public()
  @Get('events/:event_id')
  @ApiOperation({
    operationId: 'getEvent',
    summary: 'Show an event',
    description: 'With its places: sold, held and for sale.',
  })
  @ApiCacheable()
  @ApiId('event_id')
  @ApiProblems('event_not_found')
  async get(
    @Param('event_id', IdPipe) id: number,
    @Res({ passthrough: true }) response: Response,
  ): Promise<EventDto> {
    const event = await this.events.get(id);
    markCacheable(response);
    return toEventDto(event);
  }

  @Post('events/:event_id/unlist')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'unlistEvent',
    summary: 'Take an event out of all lists',
    description:
      'By an admin. The event is still shown by its id, and sells tickets; `unlisted_at` tells since when it is in no list.',
  })
  @ApiOkResponse({ type: EventDto, example: { ...EVENT_EXAMPLE, unlisted_at: '2030-01-02T12:00:00.000Z' } })
  @ApiId('event_id')
  @ApiProblems('forbidden', 'event_not_found')
  async unlist(
    @Param('event_id', IdPipe) id: number,
    @Caller() caller: Caller,
    once: Once,
  ): Promise<EventDto> {
    return await once(async () => toEventDto(await this.events.setListed(id, false, caller)));
  }

  @Post('events/:event_id/list')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'relistEvent',
    summary: 'Put an event back into the lists',
    description: 'By an admin.',
  })
  @ApiOkResponse({ type: EventDto, example: EVENT_EXAMPLE })
  @ApiId('event_id')
  @ApiProblems('forbidden', 'event_not_found')
  async relist(
    @Param('event_id', IdPipe) id: number,
    @Caller() caller: Caller,
    once: Once,
  ): Promise<EventDto> {
    return await once(async () => toEventDto(await this.events.setListed(id, true, caller)));
  }

  @Get('users/for-you')
  @ApiOperation({
    operationId: 'listEventsForYou',
    summary: 'List events near a user',
    description:
      'Events within the radius (inclusive) that have not ended and have coordinates, nearest first.',
  })
  @InTurn('pages')
  @ApiList(NearbyEventDto)
  @ApiProblems('user_not_found', 'user_location_not_set')
  async listForUser(
    @Query() query: NearbyEventsQuery,
    @Caller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListedEventDto[]> {
    const filter = toNearbyFilter(query);
    const subject = userFor(caller, query.user_id);
    const page = await this.events.listForUser(subject, query.max_distance_km, filter, query);
    return sendPage(page, toListedEventDto, request, response);
  }
}
