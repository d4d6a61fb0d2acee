import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Caller, countedNetwork, orderScopeOf, organizerScopeOf, scopeOf, userFor } from '../auth/caller';
import { UserInPath } from '../auth/user-in-path';
import { TicketTokens } from '../check-in/ticket-tokens';
import { ApiCreated, ApiId, ApiList, ApiProblems, ApiUserId } from '../http/api-docs';
import type { Subject } from '../database/scope';
import { IdPipe } from '../http/id.pipe';
import { PageQuery, sendPage } from '../http/page';
import { Idempotent } from '../idempotency/idempotent.decorator';
import { InTurn } from '../rate-limit/turn.interceptor';
import type { KeyClaim } from '../idempotency/key-claim';
import { OrderCodes } from '../inventory/order-codes';
import { ChangeTicketDto } from './attendee.dto';
import { ReserveTicketDto, TICKET_EXAMPLES, TicketDto, toTicketDto } from './tickets.dto';
import type { TicketView } from './tickets.repository';
import { TicketsService } from './tickets.service';

@ApiTags('tickets')
@Controller()
export class TicketsController {
  constructor(
    private readonly tickets: TicketsService,
    private readonly codes: OrderCodes,
    private readonly tokens: TicketTokens,
  ) {}

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
    'ticket_type_required',
    'ticket_type_not_found',
    'ticket_type_not_on_sale',
    'ticket_type_sold_out',
    'ticket_limit_reached',
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
    const ticket = await this.tickets.reserve(
      userFor(caller, body.user_id),
      body.event_id,
      body.ticket_type_id ?? null,
      { claim, network: countedNetwork(caller, request) },
    );
    response.location(`/tickets/${ticket.id}`);
    return await this.toDto(ticket);
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
  @ApiProblems('ticket_not_found', 'ticket_not_payable', 'part_of_an_order', 'payment_required')
  async pay(
    @Param('ticket_id', IdPipe) id: number,
    @Caller() caller: Caller,
    claim?: KeyClaim,
  ): Promise<TicketDto> {
    return await this.toDto(await this.tickets.pay(id, scopeOf(caller), claim));
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
  @ApiProblems('ticket_not_found', 'ticket_not_cancellable', 'part_of_an_order', 'payment_in_progress')
  async cancel(
    @Param('ticket_id', IdPipe) id: number,
    @Caller() caller: Caller,
    claim?: KeyClaim,
  ): Promise<TicketDto> {
    return await this.toDto(await this.tickets.cancel(id, scopeOf(caller), claim));
  }

  @Get('tickets/:ticket_id')
  @ApiOperation({
    operationId: 'getTicket',
    summary: 'Show a ticket',
    description: 'For its buyer, the organizer of its event, and admins.',
  })
  @ApiOkResponse({ type: TicketDto, examples: TICKET_EXAMPLES })
  @ApiId('ticket_id')
  @ApiProblems('ticket_not_found')
  async get(@Param('ticket_id', IdPipe) id: number, @Caller() caller: Caller): Promise<TicketDto> {
    return await this.toDto(await this.tickets.get(id, orderScopeOf(caller)));
  }

  @Patch('tickets/:ticket_id')
  @ApiOperation({
    operationId: 'updateTicket',
    summary: 'Name the attendee of a ticket',
    description: 'By its buyer, while it is reserved or paid.',
  })
  @ApiOkResponse({
    type: TicketDto,
    example: {
      ...TICKET_EXAMPLES.paid.value,
      attendee: { name: 'Ada Lovelace', email: 'ada@example.com' },
    },
  })
  @ApiId('ticket_id')
  @ApiProblems('forbidden', 'ticket_not_found', 'ticket_not_changeable')
  async update(
    @Param('ticket_id', IdPipe) id: number,
    @Body() { attendee }: ChangeTicketDto,
    @Caller() caller: Caller,
  ): Promise<TicketDto> {
    return await this.toDto(await this.tickets.handOn(id, attendee, scopeOf(caller)));
  }

  @Post('tickets/:ticket_id/void')
  @Idempotent({ by: 'batch' })
  @HttpCode(200)
  @ApiOperation({
    operationId: 'voidTicket',
    summary: 'Take a paid ticket back',
    description:
      'By the organizer of its event. Its place is for sale again; what was paid for it stays where it is. One that is ' +
      '`blocked` is taken back once its dispute is lost.',
  })
  @ApiOkResponse({
    type: TicketDto,
    example: { ...TICKET_EXAMPLES.paid.value, status: 'void' },
  })
  @ApiId('ticket_id')
  @ApiProblems('forbidden', 'ticket_not_found', 'ticket_not_voidable')
  async void(
    @Param('ticket_id', IdPipe) id: number,
    @Caller() caller: Caller,
    claim?: KeyClaim,
  ): Promise<TicketDto> {
    return await this.toDto(await this.tickets.void(id, organizerScopeOf(caller), claim));
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
    const tokens = await this.tokens.tokensOf(page.rows);
    const toDto = (ticket: TicketView) =>
      toTicketDto(ticket, this.codes.codeOf(ticket.orderId), tokens.get(ticket.id));
    return sendPage(page, toDto, request, response);
  }

  private async toDto(ticket: TicketView): Promise<TicketDto> {
    const token = ticket.status === 'paid' ? await this.tokens.tokenOf(ticket) : undefined;
    return toTicketDto(ticket, this.codes.codeOf(ticket.orderId), token);
  }
}
