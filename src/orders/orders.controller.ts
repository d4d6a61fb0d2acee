import {
  Body,
  Controller,
  Get,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Caller, countedNetwork, orderScopeOf, organizerScopeOf, userFor } from '../auth/caller';
import { UserInPath } from '../auth/user-in-path';
import { TicketTokens } from '../check-in/ticket-tokens';
import { ApiCreated, ApiId, ApiList, ApiOrderCode, ApiProblems, ApiUserId } from '../http/api-docs';
import type { Subject } from '../database/scope';
import { ApiCsv, wantsCsv } from '../http/csv';
import { IdPipe } from '../http/id.pipe';
import { PageQuery, sendPage, type Page } from '../http/page';
import { Idempotent, type Once } from '../idempotency/idempotent.decorator';
import type { KeyClaim } from '../idempotency/key-claim';
import { OrderCodes } from '../inventory/order-codes';
import { CSV_PAGE, CsvExports } from '../rate-limit/csv-exports';
import { InTurn } from '../rate-limit/turn.interceptor';
import { ticketsOf, type OrderView } from './order-view';
import { CANCELLED_ORDER_EXAMPLE, EventOrdersQuery, ORDER_EXAMPLE, OrderDto, toOrderDto } from './orders.dto';
import { columnsOfOrders } from './orders-columns';
import { OrdersService } from './orders.service';
import { PlaceOrderDto, toOrder } from './place-order.dto';

@ApiTags('orders')
@Controller()
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly codes: OrderCodes,
    private readonly tokens: TicketTokens,
    private readonly csv: CsvExports,
  ) {}

  @Post('orders')
  @Idempotent({ by: 'batch' })
  @ApiOperation({
    operationId: 'placeOrder',
    summary: 'Place an order',
    description:
      'Takes all of its places out of stock until `expires_at`, or none; pay the order before then.',
  })
  @ApiBody({
    type: PlaceOrderDto,
    examples: {
      two: { summary: 'Two tickets', value: { event_id: 1, items: [{ ticket_type_id: 1, quantity: 2 }] } },
      code: {
        summary: 'With a code, a contact and attendees',
        value: {
          event_id: 1,
          items: [
            {
              ticket_type_id: 1,
              quantity: 2,
              attendees: [{ name: 'Ada Lovelace', email: 'ada@example.com' }],
            },
          ],
          code: 'EARLY',
          contact: { name: 'Ada Lovelace', email: 'ada@example.com' },
          metadata: { cart: '8f3a' },
        },
      },
    },
  })
  @ApiCreated(OrderDto, ORDER_EXAMPLE)
  @ApiProblems(
    'user_not_found',
    'event_not_found',
    'event_not_published',
    'event_ended',
    'event_sold_out',
    'ticket_type_not_found',
    'ticket_type_not_on_sale',
    'ticket_type_sold_out',
    'code_not_valid',
    'code_used_up',
    'ticket_limit_reached',
    'hold_limit_reached',
    'network_hold_limit_reached',
    'hold_cool_down',
  )
  async place(
    @Body() body: PlaceOrderDto,
    @Caller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
    claim?: KeyClaim,
  ): Promise<OrderDto> {
    const buyer = userFor(caller, body.user_id);
    const wanted = toOrder(body, buyer, { network: countedNetwork(caller, request), claim });
    const order = await this.toDto(await this.orders.place(wanted));
    response.location(`/orders/${order.code}`);
    return order;
  }

  @Get('orders/:code')
  @ApiOperation({
    operationId: 'getOrder',
    summary: 'Show an order',
    description: "One's own, and those for one's own events; an admin may see any.",
  })
  @ApiOkResponse({ type: OrderDto, example: ORDER_EXAMPLE })
  @ApiOrderCode()
  @ApiProblems('order_not_found')
  async get(@Param('code') code: string, @Caller() caller: Caller): Promise<OrderDto> {
    return await this.toDto(await this.orders.get(this.orders.idOf(code), orderScopeOf(caller)));
  }

  @Post('orders/:code/cancel')
  @Idempotent({ by: 'batch' })
  @HttpCode(200)
  @ApiOperation({
    operationId: 'cancelOrder',
    summary: 'Give a held order back',
    description: 'Its places are for sale again at once.',
  })
  @ApiOkResponse({ type: OrderDto, example: CANCELLED_ORDER_EXAMPLE })
  @ApiOrderCode()
  @ApiProblems('order_not_found', 'order_not_cancellable', 'payment_in_progress')
  async cancel(@Param('code') code: string, @Caller() caller: Caller, claim?: KeyClaim): Promise<OrderDto> {
    return await this.toDto(await this.orders.cancel(this.orders.idOf(code), orderScopeOf(caller), claim));
  }

  @Post('orders/:code/extend')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'extendOrder',
    summary: 'Hold an order for longer',
    description: 'Once, and while it is held: from its creation it is then held for twice as long.',
  })
  @ApiOkResponse({ type: OrderDto, example: ORDER_EXAMPLE })
  @ApiOrderCode()
  @ApiProblems('order_not_found', 'order_not_extendable')
  async extend(@Param('code') code: string, @Caller() caller: Caller, once: Once): Promise<OrderDto> {
    const id = this.orders.idOf(code);
    return await once(async () => await this.toDto(await this.orders.extend(id, orderScopeOf(caller))));
  }

  @Get('users/:user_id/orders')
  @ApiOperation({
    operationId: 'listUserOrders',
    summary: "List a user's orders",
    description: 'Newest first.',
  })
  @ApiUserId()
  @InTurn('pages')
  @ApiList(OrderDto, [ORDER_EXAMPLE])
  @ApiProblems('user_not_found')
  async listByUser(
    @UserInPath() subject: Subject,
    @Query() query: PageQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OrderDto[]> {
    return await this.send(await this.orders.listByUser(subject, query), request, response);
  }

  @Get('events/:event_id/orders')
  @ApiOperation({
    operationId: 'listEventOrders',
    summary: "List an event's orders",
    description:
      'Newest first, for its organizer. A page looks through 2,000 orders: a search may answer short pages, even ' +
      'empty ones, while `Link` leads on. With `Accept: text/csv` it answers every row, whatever `limit` and `cursor` say.',
  })
  @ApiId('event_id')
  @InTurn('pages')
  @ApiList(OrderDto, [ORDER_EXAMPLE])
  @ApiCsv()
  @ApiProblems('forbidden', 'event_not_found')
  async listByEvent(
    @Param('event_id', IdPipe) eventId: number,
    @Query() query: EventOrdersQuery,
    @Caller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OrderDto[] | StreamableFile> {
    const { status, q } = query;
    const scope = organizerScopeOf(caller);
    if (wantsCsv(request, response)) {
      return await this.csv.send(request, response, {
        name: `orders-${eventId}`,
        columns: columnsOfOrders(this.codes),
        hasMark: query.bom === 'true',
        read: (before?: number) => this.orders.export(eventId, { status, q }, scope, CSV_PAGE, before),
      });
    }
    const page = await this.orders.listByEvent(eventId, { status, q }, scope, query);
    return await this.send(page, request, response);
  }

  private async toDto(order: OrderView): Promise<OrderDto> {
    return toOrderDto(order, this.codes.codeOf(order.id), await this.tokens.tokensOf(ticketsOf(order)));
  }

  private async send(page: Page<OrderView>, request: Request, response: Response): Promise<OrderDto[]> {
    const tokens = await this.tokens.tokensOf(page.rows.flatMap(ticketsOf));
    const toDto = (order: OrderView) => toOrderDto(order, this.codes.codeOf(order.id), tokens);
    return sendPage(page, toDto, request, response);
  }
}
