import { Module } from '@nestjs/common';
import { Settings } from '../config/settings';
import { DatabaseClock } from '../database/database-clock';
import { AccessTokens } from './access-tokens';
import { Passwords } from './passwords';

const accessTokens = {
  provide: AccessTokens,
  inject: [Settings, DatabaseClock],
  useFactory: ({ JWT_SECRET = [] }: Settings, clock: DatabaseClock) =>
    new AccessTokens(JWT_SECRET, () => clock.now()),
};

@Module({ providers: [accessTokens, Passwords], exports: [accessTokens, Passwords] })
export class AuthModule {}
