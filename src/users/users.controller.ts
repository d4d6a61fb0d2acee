import { Body, Controller, Get, Header, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Caller, userFor } from '../auth/caller';
import { Public } from '../auth/public';
import { ApiCreated, ApiId, ApiProblems } from '../http/api-docs';
import { IdPipe } from '../http/id.pipe';
import { Idempotent } from '../idempotency/idempotent.decorator';
import { LimitAsCredentials } from '../rate-limit/rate-limit.decorator';
import { SessionsService } from './sessions.service';
import {
  CreateUserDto,
  SignedUpUserDto,
  toNewUser,
  toSignedUpUserDto,
  toUserDto,
  UserDto,
} from './users.dto';
import { UsersService } from './users.service';

@ApiTags('users')
@Controller('users')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
  ) {}

  @Public()
  @Post()
  @Idempotent()
  @Header('Cache-Control', 'no-store')
  @LimitAsCredentials()
  @ApiOperation({
    operationId: 'createUser',
    summary: 'Sign up',
    description: 'The answer has the tokens to go on with; a refresh token only where there is a password.',
  })
  @ApiCreated(SignedUpUserDto)
  @ApiProblems('email_taken', 'overloaded')
  async create(
    @Body() body: CreateUserDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SignedUpUserDto> {
    const user = await this.users.create(toNewUser(body), body.password ?? undefined);
    const caller = { userId: user.id, role: user.role };
    const tokens =
      body.password == null ? this.sessions.issueAccessToken(caller) : await this.sessions.begin(caller);
    response.location(`/users/${user.id}`);
    return toSignedUpUserDto(user, tokens);
  }

  @Get(':user_id')
  @ApiOperation({
    operationId: 'getUser',
    summary: 'Show a user',
    description: "One's own account; an admin may see any.",
  })
  @ApiId('user_id')
  @ApiProblems('user_not_found')
  async get(@Param('user_id', IdPipe) id: number, @Caller() caller: Caller): Promise<UserDto> {
    return toUserDto(await this.users.get(userFor(caller, id)));
  }
}
