import { Module } from '@nestjs/common';
import { Settings } from '../config/settings';
import { DatabaseClock } from '../database/database-clock';
import { AccessTokens } from './access-tokens';
import { Passwords } from './passwords';
import { RefreshTokens } from './refresh-tokens';

const accessTokens = {
  provide: AccessTokens,
  inject: [Settings, DatabaseClock],
  useFactory: ({ JWT_SECRET = [] }: Settings, clock: DatabaseClock) =>
    new AccessTokens(JWT_SECRET, () => clock.now()),
};

const refreshTokens = {
  provide: RefreshTokens,
  inject: [Settings],
  useFactory: ({ JWT_SECRET = [] }: Settings) => new RefreshTokens(JWT_SECRET),
};

@Module({
  providers: [accessTokens, refreshTokens, Passwords],
  exports: [accessTokens, refreshTokens, Passwords],
})
export class AuthModule {}
