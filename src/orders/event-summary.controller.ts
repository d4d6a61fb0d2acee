import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Caller, organizerScopeOf } from '../auth/caller';
import { ApiId, ApiProblems } from '../http/api-docs';
import { IdPipe } from '../http/id.pipe';
import { EventSummaryDto, toEventSummaryDto } from './event-summary.dto';
import { EventSummaryService } from './event-summary.service';

@ApiTags('events')
@Controller()
export class EventSummaryController {
  constructor(private readonly summaries: EventSummaryService) {}

  @Get('events/:event_id/summary')
  @ApiOperation({
    operationId: 'getEventSummary',
    summary: 'Sum up what an event sold',
    description:
      'For its organizer. `counted_at` says how old the answer is: it is given again for ten times as long as the count took.',
  })
  @ApiOkResponse({ type: EventSummaryDto })
  @ApiId('event_id')
  @ApiProblems('forbidden', 'event_not_found')
  async get(@Param('event_id', IdPipe) id: number, @Caller() caller: Caller): Promise<EventSummaryDto> {
    return toEventSummaryDto(await this.summaries.get(id, organizerScopeOf(caller)));
  }
}
