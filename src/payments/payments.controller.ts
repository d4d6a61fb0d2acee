import {
  Body,
  Controller,
  Get,
  HttpStatus,
  Param,
  Post,
  Query,
  Req,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
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
import { PaymentDto, PayOrderDto, referenceOf, toPaymentDto, wishOf } from './payments.dto';
import type { BuyersPayment } from './provider-payments.service';
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
      'Its buyer pays it through the payment provider; an order whose total is 0 needs none, and an empty object. The ' +
      'organizer of the event notes with `offline` that they have the money. Its places are sold as soon as the status is ' +
      '`succeeded`. A payment that is open is given again (200).',
  })
  @ApiBody({
    type: PayOrderDto,
    examples: {
      card: { summary: 'By its buyer, with the sandbox', value: { payment_method: 'ok' } },
      free: { summary: 'An order that costs nothing, by its buyer', value: {} },
      offline: {
        summary: 'Cash or bank, by the organizer',
        value: { offline: true, reference: 'Receipt 2030-17' },
      },
    },
  })
  @ApiCreatedResponse({ type: PaymentDto, description: 'Created' })
  @ApiOkResponse({ type: PaymentDto, description: 'The payment that is open already' })
  @ApiOrderCode()
  @ApiProblems(
    'forbidden',
    'order_not_found',
    'order_not_payable',
    'payment_in_progress',
    'payment_provider_unavailable',
  )
  async pay(
    @Param('code') code: string,
    @Body() body: PayOrderDto,
    @Caller() caller: Caller,
    @Res({ passthrough: true }) response: Response,
    claim?: KeyClaim,
  ): Promise<PaymentDto> {
    const [reference, wish] = [referenceOf(body), wishOf(body)];
    const orderId = this.orders.idOf(code);
    if (body.offline === true)
      return this.toDto(await this.payments.payOffline(orderId, caller, reference, claim));
    const { payment, isNew } = await this.payments.pay(orderId, caller, wish, claim);
    if (!isNew) response.status(HttpStatus.OK);
    return this.toDto(payment);
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

  private readonly toDto = (payment: BuyersPayment) =>
    toPaymentDto(payment, this.codes.codeOf(payment.orderId));
}
