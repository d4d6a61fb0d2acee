import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AtGate, ForDevices, type GateCaller } from '../auth/device';
import { ApiId, ApiProblems } from '../http/api-docs';
import { TakesBody } from '../http/body.guard';
import { IdPipe } from '../http/id.pipe';
import { Idempotent, type Once } from '../idempotency/idempotent.decorator';
import {
  CheckInBatchDto,
  CheckInDto,
  CheckInResultDto,
  CheckInResultsDto,
  RESULT_EXAMPLES,
  toResultDto,
} from './check-ins.dto';
import { CheckInsService } from './check-ins.service';
import { lateScansIn, scanIn } from './scan-body';

/** Of 500 scans, each with the longest code of ours and some more. */
const BATCH_BYTES = 512 * 1_024;
/** Of 500 check-ins of five fields, and of more fields that a device may send. */
const BATCH_VALUES = 10_000;

@ApiTags('gate')
@Controller()
export class CheckInsController {
  constructor(private readonly checkIns: CheckInsService) {}

  @Post('events/:event_id/check-ins')
  @ForDevices()
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'checkIn',
    summary: 'Check a ticket in',
    description:
      'Lets a ticket in once, at however many gates it is shown; after an exit once more. For devices of the event and its ' +
      'organizer.',
  })
  @ApiId('event_id')
  @ApiBody({ type: CheckInDto })
  @ApiOkResponse({ type: CheckInResultDto, examples: RESULT_EXAMPLES })
  @ApiProblems('event_not_found', 'forbidden')
  async checkIn(
    @Param('event_id', IdPipe) eventId: number,
    @Body() body: object | undefined,
    @AtGate() caller: GateCaller,
    once: Once,
  ): Promise<CheckInResultDto> {
    // The nonce makes it happen once; no transaction is open while it shares a statement with others.
    const result = toResultDto(await this.checkIns.checkIn(eventId, caller, scanIn(body)));
    return await once(() => Promise.resolve(result));
  }

  @Post('events/:event_id/check-ins/batch')
  @ForDevices()
  @Idempotent()
  @HttpCode(200)
  @TakesBody({ maxBytes: BATCH_BYTES, maxValues: BATCH_VALUES })
  @ApiOperation({
    operationId: 'checkInLate',
    summary: 'Send check-ins of a device that was offline',
    description:
      'At most 500, in any order: each is judged by what the ticket was when it was scanned. None is refused: a ticket that ' +
      'another device has let in, too, is kept as a `conflict`, and a check-in that does not validate is `not_valid` in its ' +
      'place.',
  })
  @ApiId('event_id')
  @ApiBody({ type: CheckInBatchDto })
  @ApiOkResponse({ type: CheckInResultsDto })
  @ApiProblems('event_not_found', 'forbidden')
  async checkInLate(
    @Param('event_id', IdPipe) eventId: number,
    @Body() body: object | undefined,
    @AtGate() caller: GateCaller,
    once: Once,
  ): Promise<CheckInResultsDto> {
    const outcomes = await this.checkIns.checkInLate(eventId, caller, lateScansIn(body));
    return await once(() => Promise.resolve({ check_ins: outcomes.map(toResultDto) }));
  }
}
