import { Body, Controller, Get, Header, Patch, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Public } from '../auth/public';
import { UserInPath } from '../auth/user-in-path';
import type { Subject } from '../database/scope';
import { ApiCreated, ApiProblems, ApiUserId } from '../http/api-docs';
import { Gone } from '../http/under-way';
import { Idempotent, type Once } from '../idempotency/idempotent.decorator';
import { LimitAsCredentials } from '../rate-limit/rate-limit.decorator';
import { SessionsService } from './sessions.service';
import {
  CreateUserDto,
  SignedUpUserDto,
  toNewUser,
  toSignedUpUserDto,
  toUserChanges,
  toUserDto,
  UpdateUserDto,
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
  @Idempotent({ replayedWithout: ['access_token', 'token_type', 'expires_in', 'refresh_token'] })
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
    @Gone() gone: AbortSignal,
    once: Once,
  ): Promise<SignedUpUserDto> {
    const newUser = toNewUser(body);
    const passwordHash =
      body.password == null ? null : await this.users.hashPassword(newUser, body.password, gone);
    return await once(async () => {
      const user = await this.users.create(newUser, passwordHash);
      const account = { userId: user.id, role: user.role, createdAt: user.createdAt };
      const tokens =
        passwordHash === null ? this.sessions.issueAccessToken(account) : await this.sessions.begin(account);
      response.location(`/users/${user.id}`);
      return toSignedUpUserDto(user, tokens);
    });
  }

  @Get(':user_id')
  @ApiOperation({
    operationId: 'getUser',
    summary: 'Show a user',
    description: "One's own account; an admin may see any.",
  })
  @ApiUserId()
  @ApiProblems('user_not_found')
  async get(@UserInPath() subject: Subject): Promise<UserDto> {
    return toUserDto(await this.users.get(subject));
  }

  @Patch(':user_id')
  @ApiOperation({
    operationId: 'updateUser',
    summary: 'Change a user',
    description: 'What is left out stays as it is; an empty body changes nothing.',
  })
  @ApiUserId()
  @ApiProblems('user_not_found')
  async update(@UserInPath() subject: Subject, @Body() body: UpdateUserDto): Promise<UserDto> {
    return toUserDto(await this.users.update(subject, toUserChanges(body)));
  }
}
