import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { OrderScope, OrganizerScope, Scope, Subject } from '../database/scope';
import { networkOf, type Network } from '../http/network';
import { Problem } from '../problems/problem';

export type Role = 'user' | 'admin';

/** The account that tokens are issued to. */
export interface Account {
  userId: number;
  /** An `admin` may act for anyone, as a trusted back end does. */
  role: Role;
  createdAt: Date;
}

/** The sender of a request, by its access token. */
export interface Caller {
  userId: number;
  role: Role;
  /** The session the token was issued in; none where the account had no password to begin one with. */
  sessionId?: string;
  /** When the token was issued: seconds since 1970. */
  issuedAt: number;
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

/** What the caller may touch: an admin everything, a user their own. */
export const scopeOf = ({ userId, role, issuedAt }: Caller): Scope =>
  role === 'admin' ? { by: 'anyone' } : { by: 'buyer', userId, issuedAt };

/** Which orders the caller may touch: an admin all, a user their own and those for their events. */
export const orderScopeOf = ({ userId, role, issuedAt }: Caller): OrderScope =>
  role === 'admin' ? { by: 'anyone' } : { by: 'party', userId, issuedAt };

/** Says whose events the caller sees as their organizer does: an admin sees those of all, a caller without a token none. */
export const organizerScopeOf = (caller: Caller | undefined): OrganizerScope => {
  if (caller?.role === 'admin') return { by: 'anyone' };
  return { by: 'organizer', userId: caller?.userId ?? NOBODY, issuedAt: caller?.issuedAt };
};

/** The network whose live holds count together; undefined for an admin, who books for people of all networks from one. */
export const countedNetwork = ({ role }: Caller, { address }: Request): Network | undefined =>
  role === 'admin' ? undefined : networkOf(address);

/** An id that no user has. */
const NOBODY = 0;

/**
 * @param does such as `creates events`
 * @throws {Problem} `forbidden` unless an admin calls
 */
export function requireAdmin({ role }: Caller, does: string): void {
  if (role !== 'admin') throw new Problem('forbidden', { detail: `Only an admin of this server ${does}` });
}

/**
 * The user a request is about: the caller, unless it names another.
 *
 * @throws {Problem} `user_not_found` where the caller may not act for that user, as if there were none
 */
export function userFor({ userId, role, issuedAt }: Caller, named = userId): Subject {
  if (named !== userId && role !== 'admin') throw new Problem('user_not_found');
  return named === userId ? { userId, issuedAt } : { userId: named };
}
