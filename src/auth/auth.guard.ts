import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { AccessTokens } from './access-tokens';
import { IS_PUBLIC } from './public';
import { unauthenticated } from './unauthenticated';

/** Refuses requests without a valid access token, except where a route is public; identifies the caller. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly reflector: Reflector,
  ) {}

  /** @throws {Problem} `unauthenticated` */
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    const { authorization } = request.headers;
    const token = authorization && BEARER.exec(authorization)?.[1];
    request.caller = token ? this.tokens.verify(token) : undefined;
    if (request.caller) return true;
    if (this.reflector.getAllAndOverride(IS_PUBLIC, [context.getHandler(), context.getClass()])) return true;
    throw authorization === undefined ? unauthenticated() : unauthenticated('invalid_token');
  }
}

const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;
