import { Body, Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { Public } from '../auth/public';
import { ApiProblems } from '../http/api-docs';
import { TakesBody } from '../http/body.guard';
import { networkOf } from '../http/network';
import { Problem } from '../problems/problem';
import { ForgeryLimit } from '../rate-limit/forgery-limit';
import { Unlimited } from '../rate-limit/rate-limit.decorator';
import { ProviderEvents } from './provider-events.service';

const MOST_BYTES = 256 * 1_024;

@ApiTags('payments')
@Controller()
export class ProviderEventsController {
  constructor(
    private readonly events: ProviderEvents,
    private readonly forgeries: ForgeryLimit,
  ) {}

  @Post('payments/events/:provider')
  @Public()
  @Unlimited()
  @TakesBody({ maxBytes: MOST_BYTES, raw: true })
  @HttpCode(200)
  @ApiOperation({
    operationId: 'receiveProviderEvent',
    summary: 'Take an event of the payment provider',
    description:
      'For the provider alone, which signs what it sends. An event is only a reason to ask the provider; it is sent again ' +
      'where the answer is not 200.',
  })
  @ApiParam({ name: 'provider', schema: { type: 'string', enum: ['sandbox', 'stripe'] } })
  @ApiBody({
    schema: { type: 'object', additionalProperties: true },
    description: 'As the provider makes it',
  })
  @ApiOkResponse({ description: 'Taken' })
  @ApiProblems(
    'route_not_found',
    'event_not_authentic',
    'body_too_large',
    'rate_limited',
    'service_unavailable',
  )
  async receive(
    @Param('provider') provider: string,
    @Body() body: unknown,
    @Req() request: Request,
  ): Promise<void> {
    try {
      const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
      await this.events.receive(provider, bytes, request.headers);
    } catch (error) {
      if (error instanceof Problem && error.code === 'event_not_authentic')
        await this.forgeries.count(networkOf(request.address));
      throw error;
    }
  }
}
