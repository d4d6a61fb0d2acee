import { Body, Controller, Get, Param, Post, Query, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Caller, orderScopeOf, organizerScopeOf } from '../auth/caller';
import { ApiId, ApiList, ApiOrderCode, ApiProblems } from '../http/api-docs';
import { ApiCsv, CsvPageQuery, wantsCsv } from '../http/csv';
import { IdPipe } from '../http/id.pipe';
import { PageQuery, sendPage } from '../http/page';
import { Idempotent } from '../idempotency/idempotent.decorator';
import type { KeyClaim } from '../idempotency/key-claim';
import { OrderCodes } from '../inventory/order-codes';
import { OrdersService } from '../orders/orders.service';
import { CSV_PAGE, CsvExports } from '../rate-limit/csv-exports';
import { InTurn } from '../rate-limit/turn.interceptor';
import { columnsOfPayments } from './payments-columns';
import { PaymentDto, PayOrderDto, referenceOf, toPaymentDto } from './payments.dto';
import type { PaymentView } from './payments.repository';
import { PaymentsService } from './payments.service';

@ApiTags('payments')
@Controller()
export class PaymentsController {
  constructor(
    private readonly payments: PaymentsService,
    private readonly orders: OrdersService,
    private readonly codes: OrderCodes,
    private readonly csv: CsvExports,
  ) {}

  @Post('orders/:code/payments')
  @Idempotent({ by: 'batch' })
  @ApiOperation({
    operationId: 'payOrder',
    summary: 'Pay an order',
    description:
      'Its buyer pays an order whose total is 0, with an empty object. The organizer of the event notes with `offline` that ' +
      'they have the money. Its places are sold from then on.',
  })
  @ApiBody({
    type: PayOrderDto,
    examples: {
      free: { summary: 'An order that costs nothing, by its buyer', value: {} },
      offline: {
        summary: 'Cash or bank, by the organizer',
        value: { offline: true, reference: 'Receipt 2030-17' },
      },
    },
  })
  @ApiCreatedResponse({ type: PaymentDto, description: 'Created' })
  @ApiOrderCode()
  @ApiProblems('forbidden', 'order_not_found', 'order_not_payable')
  async pay(
    @Param('code') code: string,
    @Body() body: PayOrderDto,
    @Caller() caller: Caller,
    claim?: KeyClaim,
  ): Promise<PaymentDto> {
    const reference = referenceOf(body);
    const orderId = this.orders.idOf(code);
    return this.toDto(
      body.offline === true
        ? await this.payments.payOffline(orderId, caller, reference, claim)
        : await this.payments.payFree(orderId, caller, claim),
    );
  }

  @Get('orders/:code/payments')
  @ApiOperation({
    operationId: 'listOrderPayments',
    summary: "List an order's payments",
    description: 'Newest first.',
  })
  @ApiOrderCode()
  @InTurn('pages')
  @ApiList(PaymentDto)
  @ApiProblems('order_not_found')
  async listByOrder(
    @Param('code') code: string,
    @Query() query: PageQuery,
    @Caller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<PaymentDto[]> {
    const page = await this.payments.listByOrder(this.orders.idOf(code), orderScopeOf(caller), query);
    return sendPage(page, this.toDto, request, response);
  }

  @Get('events/:event_id/payments')
  @ApiOperation({
    operationId: 'listEventPayments',
    summary: "List an event's payments",
    description:
      'Newest first, for its organizer. With `Accept: text/csv` it answers every row, whatever `limit` and `cursor` say.',
  })
  @ApiId('event_id')
  @InTurn('pages')
  @ApiList(PaymentDto)
  @ApiCsv()
  @ApiProblems('forbidden', 'event_not_found')
  async listByEvent(
    @Param('event_id', IdPipe) eventId: number,
    @Query() query: CsvPageQuery,
    @Caller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<PaymentDto[] | StreamableFile> {
    const scope = organizerScopeOf(caller);
    if (wantsCsv(request, response)) {
      return await this.csv.send(request, response, {
        name: `payments-${eventId}`,
        columns: columnsOfPayments(this.codes),
        hasMark: query.bom === 'true',
        read: (before?: number) => this.payments.export(eventId, scope, CSV_PAGE, before),
      });
    }
    const page = await this.payments.listByEvent(eventId, scope, query);
    return sendPage(page, this.toDto, request, response);
  }

  private readonly toDto = (payment: PaymentView) =>
    toPaymentDto(payment, this.codes.codeOf(payment.orderId));
}
