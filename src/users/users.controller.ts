import { Body, Controller, Get, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { ApiCreated, ApiId, ApiProblems } from '../common/api-docs';
import { IdPipe } from '../common/id.pipe';
import { CreateUserDto, toNewUser, toUserDto, UserDto } from './users.dto';
import { UsersService } from './users.service';

@ApiTags('users')
@Controller('users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Post()
  @ApiOperation({ operationId: 'createUser', summary: 'Sign up' })
  @ApiCreated(UserDto)
  @ApiProblems('email_taken')
  async create(
    @Body() body: CreateUserDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<UserDto> {
    const user = await this.users.create(toNewUser(body));
    response.location(`/users/${user.id}`);
    return toUserDto(user);
  }

  @Get(':user_id')
  @ApiOperation({ operationId: 'getUser', summary: 'Show a user' })
  @ApiId('user_id')
  @ApiProblems('user_not_found')
  async get(@Param('user_id', IdPipe) id: number): Promise<UserDto> {
    return toUserDto(await this.users.get(id));
  }
}
