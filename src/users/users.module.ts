import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthModule } from '../auth/auth.module';
import { AccountController } from './account.controller';
import { AdminService } from './admin.service';
import { Session } from './session.entity';
import { TokenController } from './token.controller';
import { SessionsRepository } from './sessions.repository';
import { SessionsService } from './sessions.service';
import { User } from './user.entity';
import { UsersController } from './users.controller';
import { UsersRepository } from './users.repository';
import { UsersService } from './users.service';

@Module({
  imports: [AuthModule, TypeOrmModule.forFeature([User, Session])],
  controllers: [UsersController, TokenController, AccountController],
  providers: [AdminService, UsersRepository, UsersService, SessionsRepository, SessionsService],
  exports: [UsersService, SessionsService],
})
export class UsersModule {}
