import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Public } from '../auth/public';
import { ApiProblems } from '../http/api-docs';
import { ApiCacheable, markCacheable } from '../http/cacheable';
import { TicketKeysDto } from './jwks.dto';
import { TicketKeys } from './ticket-keys';

@ApiTags('gate')
@Controller()
export class JwksController {
  constructor(private readonly keys: TicketKeys) {}

  @Public()
  @Get('.well-known/jwks.json')
  @ApiOperation({
    operationId: 'getTicketKeys',
    summary: 'Show the keys of tickets',
    description:
      'A JSON Web Key Set (RFC 7517): with one of these keys each `token` of a ticket is signed. Old keys stay for as long as ' +
      'tickets that they signed may be scanned.',
  })
  @ApiOkResponse({ type: TicketKeysDto })
  @ApiCacheable()
  @ApiProblems()
  async get(@Res({ passthrough: true }) response: Response): Promise<TicketKeysDto> {
    markCacheable(response);
    return { keys: await this.keys.published() };
  }
}
