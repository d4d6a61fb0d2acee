import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Caller, organizerScopeOf, userFor } from '../auth/caller';
import { Public } from '../auth/public';
import { ApiCreated, ApiId, ApiList, ApiProblems } from '../http/api-docs';
import { TakesBody } from '../http/body.guard';
import { ApiCacheable, markCacheable } from '../http/cacheable';
import { ApiIfMatch, ApiTagged, IfMatch, tagAnswer } from '../http/entity-tag';
import { IdPipe } from '../http/id.pipe';
import { sendPage } from '../http/page';
import { Idempotent, type Once } from '../idempotency/idempotent.decorator';
import { EventLimit } from '../rate-limit/event-limit';
import { InTurn } from '../rate-limit/turn.interceptor';
import { EventChangesService } from './event-changes.service';
import { toTicketTypeFields } from '../ticket-types/ticket-types.dto';
import { EventsQuery, NearbyEventsQuery, toEventFilter, toNearbyFilter } from './events-query.dto';
import { CreateEventDto, toEventChanges, toNewEvent, UpdateEventDto } from './event-body.dto';
import {
  CREATE_EVENT_EXAMPLE,
  EVENT_EXAMPLE,
  EventDto,
  ListedEventDto,
  NearbyEventDto,
  toEventDto,
  toListedEventDto,
} from './events.dto';
import { EventsService } from './events.service';

/**
 * A description of 10,000 characters may take 120 kB, with each escaped as two surrogates, and those of 20 ticket types
 * 264 kB.
 */
const EVENT_BYTES = 512 * 1_024;

@ApiTags('events')
@Controller()
export class EventsController {
  constructor(
    private readonly events: EventsService,
    private readonly limit: EventLimit,
    private readonly changes: EventChangesService,
  ) {}

  @Post('events')
  @TakesBody({ maxBytes: EVENT_BYTES })
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
      priced: {
        summary: 'With a price',
        value: { ...CREATE_EVENT_EXAMPLE, currency: 'EUR', ticket_types: [{ name: 'Stalls', price: 1_250 }] },
      },
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
  @ApiTagged()
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
      return tagAnswer(response, toEventDto(event), event.version);
    };
    return await this.limit.within(caller, response, () => once(create));
  }

  @Public()
  @Get('events')
  @ApiOperation({
    operationId: 'listEvents',
    summary: 'List events',
    description:
      'Past ones included, in the order of their start unless `sort` says otherwise. Drafts and cancelled events are ' +
      'in the list that their organizer asks for with their own `organizer_id`, and in that of an admin.',
  })
  @ApiCacheable()
  @InTurn('pages')
  @ApiList(ListedEventDto, [EVENT_EXAMPLE])
  @ApiProblems()
  async list(
    @Query() query: EventsQuery,
    @Caller() caller: Caller | undefined,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ListedEventDto[]> {
    const { organizer_id } = query;
    const isOwn =
      organizer_id !== undefined && (await this.events.isOwnList(organizer_id, organizerScopeOf(caller)));
    const page = await this.events.list({ ...toEventFilter(query), isOwn }, query);
    // What others may see of an organizer's events is not what the organizer asks for.
    if (organizer_id !== undefined) response.vary('Authorization');
    if (!isOwn) markCacheable(response);
    return sendPage(page, toListedEventDto, request, response);
  }

  @Public()
  @Get('events/:event_id')
  @ApiOperation({
    operationId: 'getEvent',
    summary: 'Show an event',
    description:
      'With its places: sold, held and for sale. A draft is seen by its organizer and an admin alone; a cancelled ' +
      'event still by everyone.',
  })
  @ApiCacheable()
  @ApiId('event_id')
  @ApiProblems('event_not_found')
  async get(
    @Param('event_id', IdPipe) id: number,
    @Caller() caller: Caller | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<EventDto> {
    const event = await this.events.get(id, organizerScopeOf(caller));
    if (event.status === 'draft') return tagAnswer(response, toEventDto(event), event.version);
    markCacheable(response, event.version);
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
  @ApiTagged()
  @ApiOkResponse({ type: EventDto, example: { ...EVENT_EXAMPLE, unlisted_at: '2030-01-02T12:00:00.000Z' } })
  @ApiId('event_id')
  @ApiProblems('forbidden', 'event_not_found')
  async unlist(
    @Param('event_id', IdPipe) id: number,
    @Caller() caller: Caller,
    @Res({ passthrough: true }) response: Response,
    once: Once,
  ): Promise<EventDto> {
    return await once(async () => {
      const event = await this.events.setListed(id, false, caller);
      return tagAnswer(response, toEventDto(event), event.version);
    });
  }

  @Post('events/:event_id/list')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'relistEvent',
    summary: 'Put an event back into the lists',
    description: 'By an admin.',
  })
  @ApiTagged()
  @ApiOkResponse({ type: EventDto, example: EVENT_EXAMPLE })
  @ApiId('event_id')
  @ApiProblems('forbidden', 'event_not_found')
  async relist(
    @Param('event_id', IdPipe) id: number,
    @Caller() caller: Caller,
    @Res({ passthrough: true }) response: Response,
    once: Once,
  ): Promise<EventDto> {
    return await once(async () => {
      const event = await this.events.setListed(id, true, caller);
      return tagAnswer(response, toEventDto(event), event.version);
    });
  }

  @Patch('events/:event_id')
  @TakesBody({ maxBytes: EVENT_BYTES })
  @ApiOperation({
    operationId: 'updateEvent',
    summary: 'Change an event',
    description:
      'For its organizer and an admin. What is left out stays as it is; an empty body changes nothing. With the `ETag` ' +
      'of an answer as `If-Match` nothing that somebody else changed since is overwritten.',
  })
  @ApiIfMatch()
  @ApiTagged()
  @ApiId('event_id')
  @ApiProblems(
    'event_not_found',
    'forbidden',
    'event_changed',
    'event_status_fixed',
    'currency_fixed',
    'capacity_in_use',
  )
  async update(
    @Param('event_id', IdPipe) id: number,
    @Body() body: UpdateEventDto,
    @Caller() caller: Caller,
    @IfMatch() ifMatch: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<EventDto> {
    const event = await this.changes.update(id, toEventChanges(body), organizerScopeOf(caller), ifMatch);
    return tagAnswer(response, toEventDto(event), event.version);
  }

  @Delete('events/:event_id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteEvent',
    summary: 'Delete an event',
    description: 'For its organizer and an admin, as long as no ticket of it was ever made.',
  })
  @ApiIfMatch()
  @ApiId('event_id')
  @ApiProblems('event_not_found', 'forbidden', 'event_changed', 'event_has_orders')
  async delete(
    @Param('event_id', IdPipe) id: number,
    @Caller() caller: Caller,
    @IfMatch() ifMatch: string | undefined,
  ): Promise<void> {
    await this.changes.delete(id, organizerScopeOf(caller), ifMatch);
  }

  @Get('users/for-you')
  @ApiOperation({
    operationId: 'listEventsForYou',
    summary: 'List events near a user',
    description:
      'Events within the radius (inclusive) that have not ended and have coordinates, nearest first; beyond the nearest ' +
      '5,000 by their start.',
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
