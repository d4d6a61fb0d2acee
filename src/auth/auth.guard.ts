import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { Problem } from '../problems/problem';
import { AccessTokens } from './access-tokens';
import { DeviceTokens, FOR_DEVICES } from './device';
import { IS_PUBLIC } from './public';
import { unauthenticated } from './unauthenticated';

/**
 * Refuses requests without a valid access token, except where a route is public; identifies the caller. A device gets
 * through to the routes that are for devices, and to what everybody sees.
 */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly devices: DeviceTokens,
    private readonly reflector: Reflector,
  ) {}

  /** @throws {Problem} `unauthenticated`; `forbidden` to a device */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const { authorization } = request.headers;
    const token = authorization && BEARER.exec(authorization)?.[1];
    request.caller = token ? this.tokens.verify(token) : undefined;
    if (request.caller) return true;
    if (this.has(IS_PUBLIC, context)) return true;
    const deviceToken = authorization && DEVICE_BEARER.exec(authorization)?.[1];
    if (deviceToken) return this.admitDevice(deviceToken, request, this.has(FOR_DEVICES, context));
    throw authorization === undefined ? unauthenticated() : unauthenticated('invalid_token');
  }

  private async admitDevice(token: string, request: Request, isForDevices: boolean): Promise<boolean> {
    request.device = await this.devices.find(token);
    if (!request.device) throw unauthenticated('invalid_token');
    if (!isForDevices)
      throw new Problem('forbidden', { detail: 'A device may only work at the gate of its event' });
    return true;
  }

  private has(metadata: string, context: ExecutionContext): boolean {
    return (
      this.reflector.getAllAndOverride<true | undefined>(metadata, [
        context.getHandler(),
        context.getClass(),
      ]) ?? false
    );
  }
}

const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;
/** It begins with its event, so that whoever holds one knows which gate it is for. */
const DEVICE_BEARER = /^Bearer +(gate_[1-9]\d{0,15}_[\w-]{32})$/i;
