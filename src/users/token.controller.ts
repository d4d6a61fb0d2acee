import { Body, Controller, Header, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { Public } from '../auth/public';
import { ApiProblems } from '../http/api-docs';
import { Idempotent, type Once } from '../idempotency/idempotent.decorator';
import { TakesBody } from '../http/body.guard';
import { networkOf } from '../http/network';
import { Gone } from '../http/under-way';
import type { Problem } from '../problems/problem';
import { LimitAsCredentials } from '../rate-limit/rate-limit.decorator';
import {
  RevocationRequestDto,
  TOKEN_REQUEST_EXAMPLES,
  TokenRequestDto,
  TokensDto,
  toTokensDto,
} from './sessions.dto';
import { SessionsService } from './sessions.service';

/** Tokens are asked for with credentials, hence without one. */
@Public()
@LimitAsCredentials()
// OAuth 2.0 speaks forms.
@TakesBody({ forms: true })
@ApiTags('auth')
@ApiConsumes('application/x-www-form-urlencoded', 'application/json')
@Controller('auth')
export class TokenController {
  constructor(private readonly sessions: SessionsService) {}

  @Post('token')
  @Idempotent()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'createTokens',
    summary: 'Sign in, or renew the tokens',
    description:
      'With the e-mail and password of an account, or with a refresh token. A refresh token works once: its second ' +
      'use ends the session it belongs to. There are no clients and no scopes; what an OAuth client sends of them is ' +
      'ignored.',
  })
  @ApiBody({ type: TokenRequestDto, examples: TOKEN_REQUEST_EXAMPLES })
  @ApiProblems('invalid_credentials', 'overloaded')
  async create(
    @Body() body: TokenRequestDto,
    @Req() { address }: Request,
    @Gone() gone: AbortSignal,
    once: Once,
  ): Promise<TokensDto> {
    const { username = '', password = '', refresh_token = '' } = body;
    if (body.grant_type === 'refresh_token') return await this.renew(refresh_token, once);
    const login = await this.sessions.authenticate(username, password, networkOf(address), gone);
    return await once(async () => toTokensDto(await this.sessions.begin(login, login.passwordHash)));
  }

  @Post('revoke')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'revokeTokens',
    summary: 'Sign out',
    description: 'Ends the session of a refresh token; the same answer where there is none.',
  })
  @ApiProblems()
  async revoke(@Body() { token }: RevocationRequestDto, once: Once): Promise<void> {
    await once(() => this.sessions.end(token));
  }

  /** A used token that comes again ends its session, and does so by itself: a refusal leaves nothing in its transaction. */
  private async renew(refreshToken: string, once: Once): Promise<TokensDto> {
    try {
      return await once(async () => toTokensDto(await this.sessions.renew(refreshToken)));
    } catch (error) {
      if ((error as Partial<Problem>).code === 'invalid_credentials') await this.sessions.end(refreshToken);
      throw error;
    }
  }
}
