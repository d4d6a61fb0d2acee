import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Caller, orderScopeOf, organizerScopeOf } from '../auth/caller';
import { ApiId, ApiList, ApiOrderCode, ApiProblems } from '../http/api-docs';
import { IdPipe } from '../http/id.pipe';
import { PageQuery, sendPage } from '../http/page';
import { Idempotent, type Once } from '../idempotency/idempotent.decorator';
import { OrderCodes } from '../inventory/order-codes';
import { OrdersService } from '../orders/orders.service';
import { InTurn } from '../rate-limit/turn.interceptor';
import { RefundDto, RefundOrderDto, refundWishOf, toRefundDto } from './refunds.dto';
import type { RefundView } from '../inventory/order-refunds.service';
import { RefundsService } from './refunds.service';

@ApiTags('payments')
@Controller()
export class RefundsController {
  constructor(
    private readonly refunds: RefundsService,
    private readonly orders: OrdersService,
    private readonly codes: OrderCodes,
  ) {}

  @Post('orders/:code/refunds')
  @Idempotent()
  @ApiOperation({
    operationId: 'refundOrder',
    summary: 'Give money of an order back',
    description:
      'For the organizer of its event: the money of some tickets, an amount, or all that is left. The tickets are `refunded` ' +
      'from then on, and their places for sale again unless `keep_places`; an `amount` leaves them as they are. The provider gives the money back after the answer; what was ' +
      'paid in cash or by bank the organizer gives back, so that it counts at once.',
  })
  @ApiBody({
    type: RefundOrderDto,
    examples: {
      tickets: { summary: 'One ticket', value: { ticket_ids: [1], reason: 'Seat was broken' } },
      amount: { summary: 'A part of the money', value: { amount: 500 } },
      all: { summary: 'All that is left', value: {} },
    },
  })
  @ApiCreatedResponse({ type: RefundDto, description: 'Begun' })
  @ApiOrderCode()
  @ApiProblems('forbidden', 'order_not_found', 'refund_exceeds_payment')
  async refund(
    @Param('code') code: string,
    @Body() body: RefundOrderDto,
    @Caller() caller: Caller,
    once: Once,
  ): Promise<RefundDto> {
    const [orderId, wish] = [this.orders.idOf(code), refundWishOf(body)];
    return await once(async () =>
      this.toDto(await this.refunds.request(orderId, organizerScopeOf(caller), wish)),
    );
  }

  @Get('orders/:code/refunds')
  @ApiOperation({
    operationId: 'listOrderRefunds',
    summary: "List an order's refunds",
    description: 'Newest first, also those that began by themselves.',
  })
  @ApiOrderCode()
  @InTurn('pages')
  @ApiList(RefundDto)
  @ApiProblems('order_not_found')
  async listByOrder(
    @Param('code') code: string,
    @Query() query: PageQuery,
    @Caller() caller: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RefundDto[]> {
    const page = await this.refunds.listByOrder(this.orders.idOf(code), orderScopeOf(caller), query);
    return sendPage(page, this.toDto, request, response);
  }

  @Post('refunds/:refund_id/retry')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'retryRefund',
    summary: 'Try a refund again that failed',
    description: 'For the organizer of its event.',
  })
  @ApiOkResponse({ type: RefundDto })
  @ApiId('refund_id')
  @ApiProblems('forbidden', 'refund_not_found', 'refund_not_retryable')
  async retry(
    @Param('refund_id', IdPipe) id: number,
    @Caller() caller: Caller,
    once: Once,
  ): Promise<RefundDto> {
    return await once(async () => this.toDto(await this.refunds.retry(id, organizerScopeOf(caller))));
  }

  private readonly toDto = (refund: RefundView) => toRefundDto(refund, this.codes.codeOf(refund.orderId));
}
