import { Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { hasBody, MAX_VALUES, readBody, type BodyOptions } from './request-body';
import { RequestDeadline } from './request-deadline';

const BODY = 'body';
const USUAL: BodyOptions = { maxBytes: 32 * 1_024, maxValues: MAX_VALUES, forms: false };

/** Says what a route takes where that is more than 32 kB of JSON, or more values. */
export const TakesBody = (options: Partial<BodyOptions>) => SetMetadata(BODY, { ...USUAL, ...options });

/** Reads the body. A guard, behind those that refuse: nothing is read, let alone parsed, of a request that is not let in. */
@Injectable()
export class BodyGuard implements CanActivate {
  private readonly known = new WeakMap<object, BodyOptions>();

  constructor(
    private readonly reflector: Reflector,
    private readonly deadline: RequestDeadline,
  ) {}

  /** @throws {Problem} as `readBody` does */
  canActivate(context: ExecutionContext): true | Promise<true> {
    const request = context.switchToHttp().getRequest<Request>();
    const response = context.switchToHttp().getResponse<Response>();
    return hasBody(request) ? this.read(request, response, this.optionsOf(context)) : true;
  }

  private async read(request: Request, response: Response, options: BodyOptions): Promise<true> {
    request.body = await readBody(request, response, options);
    this.deadline.begin(response);
    return true;
  }

  /** What the route takes; its metadata never change, so they are read once. */
  private optionsOf(context: ExecutionContext): BodyOptions {
    const handler = context.getHandler();
    let options = this.known.get(handler);
    if (options === undefined) {
      options =
        this.reflector.getAllAndOverride<BodyOptions | undefined>(BODY, [handler, context.getClass()]) ??
        USUAL;
      this.known.set(handler, options);
    }
    return options;
  }
}
