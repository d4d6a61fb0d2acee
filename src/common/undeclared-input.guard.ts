import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { Request } from 'express';
import { escapePointer, Problem } from './problem';

/** Refuses query parameters and body fields on routes that declare none, as the pipe does on those that do. */
@Injectable()
export class UndeclaredInputGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    const [takesBody, takesQuery] = this.declared(context);
    const unknown = [
      ...(takesQuery ? [] : Object.keys(request.query)),
      ...(takesBody ? [] : Object.keys((request.body as object | undefined) ?? {})),
    ];
    if (unknown.length === 0) return true;
    throw new Problem(
      'validation_failed',
      unknown.map((name) => ({ pointer: `/${escapePointer(name)}`, detail: 'is not a known field' })),
    );
  }

  private declared(context: ExecutionContext): [body: boolean, query: boolean] {
    const metadata = Reflect.getMetadata(
      ROUTE_ARGS_METADATA,
      context.getClass(),
      context.getHandler().name,
    ) as Record<string, unknown> | undefined;
    const kinds = Object.keys(metadata ?? {}).map((key) => Number(key.split(':', 1)[0]));
    return [kinds.includes(RouteParamtypes.BODY), kinds.includes(RouteParamtypes.QUERY)];
  }
}
