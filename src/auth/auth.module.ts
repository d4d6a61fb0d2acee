import { Module } from '@nestjs/common';
import { Settings } from '../config/settings';
import { AccessTokens } from './access-tokens';
import { Passwords } from './passwords';

const accessTokens = {
  provide: AccessTokens,
  inject: [Settings],
  useFactory: ({ JWT_SECRET = [] }: Settings) => new AccessTokens(JWT_SECRET),
};

@Module({ providers: [accessTokens, Passwords], exports: [accessTokens, Passwords] })
export class AuthModule {}
