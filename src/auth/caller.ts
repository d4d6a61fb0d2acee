import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

export type Role = 'user' | 'admin';

/** Who sent a request, by its access token. */
export interface Caller {
  userId: number;
  /** An `admin` may act for anyone, as a trusted back end does. */
  role: Role;
}

declare module 'express-serve-static-core' {
  interface Request {
    /** Set by the guard; on a public route only where a valid token came along. */
    caller?: Caller;
  }
}

/** Hands the caller to a handler of a route that is not public. */
export const Caller = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<Request>().caller,
);
