import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  ParseUUIDPipe,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Caller, scopeOf } from '../auth/caller';
import { UserInPath } from '../auth/user-in-path';
import type { Subject } from '../database/scope';
import { ApiList, ApiProblems, ApiUserId } from '../http/api-docs';
import { PageQuery, sendPage } from '../http/page';
import { Gone } from '../http/under-way';
import { invalid } from '../problems/problem';
import { Idempotent, type Once } from '../idempotency/idempotent.decorator';
import { InTurn } from '../rate-limit/turn.interceptor';
import { LimitAsCredentials } from '../rate-limit/rate-limit.decorator';
import { ChangePasswordDto, SessionDto, toSessionDto } from './sessions.dto';
import { SessionsService } from './sessions.service';

const SessionIdPipe = new ParseUUIDPipe({
  exceptionFactory: () => invalid('/session_id', 'must be a UUID'),
});

/** An account's password and sessions, in the hands of those who are signed in. */
@ApiTags('auth')
@Controller()
export class AccountController {
  constructor(private readonly sessions: SessionsService) {}

  @Post('auth/password')
  @Idempotent()
  @HttpCode(204)
  @LimitAsCredentials()
  @ApiOperation({
    operationId: 'changePassword',
    summary: "Change the caller's password",
    description:
      'Ends all sessions of the account but the one that the access token was issued in. Access tokens of the others ' +
      'last until their 15 minutes are over. An account without a password gets none this way.',
  })
  @ApiNoContentResponse({ description: 'Changed' })
  @ApiProblems('invalid_credentials', 'user_not_found', 'password_not_set', 'overloaded')
  async changePassword(
    @Body() body: ChangePasswordDto,
    @Caller() caller: Caller,
    @Gone() gone: AbortSignal,
    once: Once,
  ): Promise<void> {
    const change = await this.sessions.preparePasswordChange(caller, body.current, body.new, gone);
    await once(() => this.sessions.changePassword(change, caller.sessionId));
  }

  @Get('users/:user_id/sessions')
  @ApiOperation({
    operationId: 'listUserSessions',
    summary: "List a user's sessions",
    description: 'Those that have not ended, newest first.',
  })
  @ApiUserId()
  @InTurn('pages')
  @ApiList(SessionDto)
  @ApiProblems('user_not_found')
  async list(
    @UserInPath() subject: Subject,
    @Query() query: PageQuery,
    @Caller() { sessionId }: Caller,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SessionDto[]> {
    const page = await this.sessions.listByUser(subject, query);
    return sendPage(page, toSessionDto(sessionId), request, response);
  }

  @Delete('sessions/:session_id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'endSession',
    summary: 'End a session',
    description:
      'Its refresh token is no longer good; an access token that was issued in it lasts until its 15 minutes are over.',
  })
  @ApiParam({ name: 'session_id', schema: { type: 'string', format: 'uuid' } })
  @ApiNoContentResponse({ description: 'Ended' })
  @ApiProblems('session_not_found')
  async end(@Param('session_id', SessionIdPipe) id: string, @Caller() caller: Caller): Promise<void> {
    await this.sessions.endById(id, scopeOf(caller));
  }
}
