import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Caller, scopeOf, userFor } from '../auth/caller';
import { UserInPath } from '../auth/user-in-path';
import { ApiCreated, ApiId, ApiList, ApiProblems, ApiUserId } from '../http/api-docs';
import type { Subject } from '../database/scope';
import { IdPipe } from '../http/id.pipe';
import { networkOf } from '../http/network';
import { PageQuery, sendPage } from '../http/page';
import { Idempotent } from '../idempotency/idempotent.decorator';
import { InTurn } from '../rate-limit/turn.interceptor';
import type { KeyClaim } from '../idempotency/key-claim';
import { ReserveTicketDto, TICKET_EXAMPLES, TicketDto, toTicketDto } from './tickets.dto';
import { TicketsService } from './tickets.service';

@ApiTags('tickets')
@Controller()
export class TicketsController {
  constructor(private readonly tickets: TicketsService) {}

  @Post('tickets')
  @Idempotent({ by: 'batch' })
  @ApiOperation({
    operationId: 'reserveTicket',
    summary: 'Reserve a ticket',
    description: 'Takes one place out of stock until `expires_at`; pay the ticket before then.',
  })
  @ApiBody({
    type: ReserveTicketDto,
    examples: {
      own: { summary: 'For the caller', value: { event_id: 1 } },
      other: { summary: 'For somebody else, by an admin', value: { user_id: 1, event_id: 1 } },
    },
  })
  @ApiCreated(TicketDto)
  @ApiProblems(
    'user_not_found',
    'event_not_found',
    'event_not_published',
    'event_ended',
    'event_sold_out',
    'hold_limit_reached',
    'network_hold_limit_reached',
    'hold_cool_down',
  )
  async reserveTicket(
    @Body() body: ReserveTicketDto,
    @Caller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
    claim?: KeyClaim,
  ): Promise<TicketDto> {
    // A trusted back end books for people of all networks from one.
    const network = caller.role === 'admin' ? undefined : networkOf(request.address);
    const ticket = await this.tickets.reserve(userFor(caller, body.user_id), body.event_id, {
      claim,
      network,
    });
    response.location(`/tickets/${ticket.id}`);
    return toTicketDto(ticket);
  }

  @Post('tickets/:ticket_id/pay')
  @Idempotent({ by: 'batch' })
  @HttpCode(200)
  @ApiOperation({
    operationId: 'payTicket',
    summary: 'Pay for a reserved ticket',
    description: 'Before its `expires_at`; the place is sold from then on.',
  })
  @ApiOkResponse({ type: TicketDto, example: TICKET_EXAMPLES.paid.value })
  @ApiId('ticket_id')
  @ApiProblems('ticket_not_found', 'ticket_not_payable')
  async pay(
    @Param('ticket_id', IdPipe) id: number,
    @Caller() caller: Caller,
    claim?: KeyClaim,
  ): Promise<TicketDto> {
    return toTicketDto(await this.tickets.pay(id, scopeOf(caller), claim));
  }

  @Post('tickets/:ticket_id/cancel')
  @Idempotent({ by: 'batch' })
  @HttpCode(200)
  @ApiOperation({
    operationId: 'cancelTicket',
    summary: 'Give a reserved ticket back',
    description: 'Its place is for sale again at once.',
  })
  @ApiOkResponse({ type: TicketDto, example: TICKET_EXAMPLES.cancelled.value })
  @ApiId('ticket_id')
  @ApiProblems('ticket_not_found', 'ticket_not_cancellable')
  async cancel(
    @Param('ticket_id', IdPipe) id: number,
    @Caller() caller: Caller,
    claim?: KeyClaim,
  ): Promise<TicketDto> {
    return toTicketDto(await this.tickets.cancel(id, scopeOf(caller), claim));
  }

  @Get('tickets/:ticket_id')
  @ApiOperation({
    operationId: 'getTicket',
    summary: 'Show a ticket',
    description: "One's own ticket; an admin may see any.",
  })
  @ApiOkResponse({ type: TicketDto, examples: TICKET_EXAMPLES })
  @ApiId('ticket_id')
  @ApiProblems('ticket_not_found')
  async get(@Param('ticket_id', IdPipe) id: number, @Caller() caller: Caller): Promise<TicketDto> {
    return toTicketDto(await this.tickets.get(id, scopeOf(caller)));
  }

  @Get('users/:user_id/tickets')
  @ApiOperation({
    operationId: 'listUserTickets',
    summary: "List a user's tickets",
    description: 'Newest first.',
  })
  @ApiUserId()
  @InTurn('pages')
  @ApiList(TicketDto)
  @ApiProblems('user_not_found')
  async listByUser(
    @UserInPath() subject: Subject,
    @Query() query: PageQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TicketDto[]> {
    const page = await this.tickets.listByUser(subject, query);
    return sendPage(page, toTicketDto, request, response);
  }
}
