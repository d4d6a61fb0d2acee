import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { idOf } from '../http/id.pipe';
import type { Subject } from '../database/scope';
import { userFor, type Caller } from './caller';

/** How a path names the caller without knowing their id. */
export const ME = 'me';

/**
 * Hands the user that `{user_id}` in the path names to a handler: an id, or `me` for the caller.
 *
 * @throws {Problem} `validation_failed`; `user_not_found` where the caller may not act for that user
 */
export const UserInPath = createParamDecorator((_: unknown, context: ExecutionContext): Subject => {
  const { params, caller } = context.switchToHttp().getRequest<Request>();
  const { user_id: named = '' } = params as { user_id?: string };
  return userFor(caller as Caller, named === ME ? undefined : idOf('user_id', named));
});
