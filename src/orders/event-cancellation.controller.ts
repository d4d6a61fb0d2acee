import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Caller, organizerScopeOf } from '../auth/caller';
import { ApiId, ApiProblems } from '../http/api-docs';
import { IdPipe } from '../http/id.pipe';
import { Idempotent } from '../idempotency/idempotent.decorator';
import type { KeyClaim } from '../idempotency/key-claim';
import { CancellationDto, toCancellationDto } from './event-cancellation.dto';
import { EventCancellationService } from './event-cancellation.service';

@ApiTags('events')
@Controller()
export class EventCancellationController {
  constructor(private readonly cancellations: EventCancellationService) {}

  @Post('events/:event_id/cancel')
  @Idempotent({ by: 'batch' })
  @HttpCode(202)
  @ApiOperation({
    operationId: 'cancelEvent',
    summary: 'Cancel an event',
    description:
      'For its organizer, and for good. Sales stop and holds end at once; then free orders are cancelled, and the ' +
      'money of the others is given back. A second time answers how the same cancellation stands. A draft is deleted instead.',
  })
  @ApiAcceptedResponse({ type: CancellationDto, description: 'Begun' })
  @ApiId('event_id')
  @ApiProblems('forbidden', 'event_not_found', 'event_not_published')
  async cancel(
    @Param('event_id', IdPipe) id: number,
    @Caller() caller: Caller,
    claim?: KeyClaim,
  ): Promise<CancellationDto> {
    return toCancellationDto(await this.cancellations.begin(id, organizerScopeOf(caller), claim));
  }

  @Get('events/:event_id/cancellation')
  @ApiOperation({
    operationId: 'getEventCancellation',
    summary: 'Show how the cancellation of an event stands',
    description: 'For its organizer.',
  })
  @ApiOkResponse({ type: CancellationDto })
  @ApiId('event_id')
  @ApiProblems('forbidden', 'event_not_found', 'cancellation_not_found')
  async get(@Param('event_id', IdPipe) id: number, @Caller() caller: Caller): Promise<CancellationDto> {
    return toCancellationDto(await this.cancellations.get(id, organizerScopeOf(caller)));
  }
}
