import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { Request } from 'express';
import { escapePointer, invalid, MAX_ERRORS, Problem } from '../problems/problem';

interface Declared {
  body: boolean;
  query: boolean;
}

/** Refuses query parameters and body fields on routes that declare none, as the pipe does on those that do. */
@Injectable()
export class UndeclaredInputGuard implements CanActivate {
  private readonly known = new WeakMap<object, Declared>();

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    const { body, query } = this.declared(context);
    // Express parses the query each time it is asked for.
    const hasQuery = !query && request.url.includes('?');
    const hasBody = !body && request.body !== undefined;
    if (!hasQuery && !hasBody) return true;
    if (hasBody && (typeof request.body !== 'object' || request.body === null)) {
      throw invalid('', 'must be a JSON object');
    }
    const unknown = [
      ...(hasQuery ? Object.keys(request.query) : []),
      ...(hasBody ? Object.keys(request.body as object) : []),
    ];
    if (unknown.length === 0) return true;
    throw new Problem('validation_failed', {
      errors: unknown
        .slice(0, MAX_ERRORS)
        .map((name) => ({ pointer: `/${escapePointer(name)}`, detail: 'is not a known field' })),
    });
  }

  /** What the route takes; its metadata never change, so they are read once. */
  private declared(context: ExecutionContext): Declared {
    const handler = context.getHandler();
    const known = this.known.get(handler);
    if (known) return known;
    const metadata = Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), handler.name) as
      Record<string, unknown> | undefined;
    const kinds = Object.keys(metadata ?? {}).map((key) => Number(key.split(':', 1)[0]));
    const declared = {
      body: kinds.includes(RouteParamtypes.BODY),
      query: kinds.includes(RouteParamtypes.QUERY),
    };
    this.known.set(handler, declared);
    return declared;
  }
}
