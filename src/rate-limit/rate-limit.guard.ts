import { createHash } from 'node:crypto';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { normalizeIp, ThrottlerGuard, type ThrottlerStorage } from '@nestjs/throttler';
import type { Request, Response } from 'express';
import { Problem } from '../problems/problem';
import { emailKey } from '../text/email';
import { RATE_LIMIT, type RateLimit } from './rate-limit.decorator';

/** For people who share an address. */
const CREDENTIALS_PER_ADDRESS = 100;
/** Guesses at one password, from wherever they come. */
const CREDENTIALS_PER_ACCOUNT = 10;

/**
 * Counts a guess at a password that comes another way than through the guard, on the same accounts.
 *
 * @throws {Problem} `rate_limited`
 */
export async function countGuess(
  storage: ThrottlerStorage,
  request: Request,
  username: string,
): Promise<void> {
  const guesses: [who: string, limit: number][] = [
    [`credentials-address:${addressOf(request)}`, CREDENTIALS_PER_ADDRESS],
    [`credentials-account:${accountOf({ username })}`, CREDENTIALS_PER_ACCOUNT],
  ];
  for (const [who, limit] of guesses) {
    const { isBlocked, timeToExpire } = await storage.increment(who, 0, limit, 0, '');
    if (isBlocked) throw new Problem('rate_limited', { headers: { 'Retry-After': String(timeToExpire) } });
  }
}

/**
 * Refuses a caller that makes too many requests, and tells every caller in `RateLimit` and `RateLimit-Policy` how many are left (in
 * the form of draft-ietf-httpapi-ratelimit-headers-11). Runs after the guard that identifies the caller.
 */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  private readonly known = new WeakMap<object, RateLimit>();

  /** (The library looks up for each request what its route says of limits, which takes longer than counting it.) */
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const [{ limit, ttl }] = this.throttlers as [{ limit: number; ttl: number }];
    const request = context.switchToHttp().getRequest<Request>();
    const response = context.switchToHttp().getResponse<Response>();
    const kind = this.kindOf(context);
    if (kind === 'none') return true;
    if (kind === 'usual') {
      const policy = request.method === 'GET' || request.method === 'HEAD' ? 'reading' : 'writing';
      await this.count(response, policy, callerOf(request), limit, ttl);
      return true;
    }
    const perAddress = Math.min(limit, CREDENTIALS_PER_ADDRESS);
    await this.count(response, 'credentials-address', addressOf(request), perAddress, ttl);
    if (kind === 'own-credentials') await this.countAccount(context, callerOf(request));
    return true;
  }

  /**
   * Counts a guess at an account: the one that the body names, where no other is given. The address has been counted before: one that is refused must not
   * use up what others may try for the account.
   */
  async countAccount(
    context: ExecutionContext,
    account = accountOf(context.switchToHttp().getRequest<Request>().body as NamedAccount),
  ): Promise<void> {
    const [{ limit, ttl }] = this.throttlers as [{ limit: number; ttl: number }];
    if (account === undefined) return;
    const response = context.switchToHttp().getResponse<Response>();
    const perAccount = Math.min(limit, CREDENTIALS_PER_ACCOUNT);
    await this.count(response, 'credentials-account', account, perAccount, ttl);
  }

  /** How the route is limited; its metadata never change, so they are read once. */
  kindOf(context: ExecutionContext): RateLimit {
    const handler = context.getHandler();
    const known = this.known.get(handler);
    if (known) return known;
    const kind =
      this.reflector.getAllAndOverride<RateLimit | undefined>(RATE_LIMIT, [handler, context.getClass()]) ??
      'usual';
    this.known.set(handler, kind);
    return kind;
  }

  private async count(response: Response, policy: string, who: string, limit: number, ttl: number) {
    const { totalHits, timeToExpire, isBlocked } = await this.storageService.increment(
      `${policy}:${who}`,
      ttl,
      limit,
      0,
      policy,
    );
    addToHeader(response, 'RateLimit-Policy', `"${policy}";q=${limit};w=${ttl / 1_000}`);
    addToHeader(response, 'RateLimit', `"${policy}";r=${Math.max(0, limit - totalHits)};t=${timeToExpire}`);
    if (isBlocked) throw new Problem('rate_limited', { headers: { 'Retry-After': String(timeToExpire) } });
  }
}

/** What the limit on an account can only count once the body has been read. */
@Injectable()
export class AccountLimitGuard implements CanActivate {
  constructor(private readonly limit: RateLimitGuard) {}

  /** @throws {Problem} `rate_limited` */
  canActivate(context: ExecutionContext): true | Promise<true> {
    return this.limit.kindOf(context) === 'credentials'
      ? this.limit.countAccount(context).then(() => true as const)
      : true;
  }
}

function addToHeader(response: Response, name: string, item: string): void {
  const before = response.getHeader(name) as string | undefined;
  response.setHeader(name, before === undefined ? item : `${before}, ${item}`);
}

const callerOf = (request: Request) =>
  request.caller ? `user ${request.caller.userId}` : addressOf(request);

/** An IPv6 customer has 2⁶⁴ addresses and counts as one. */
const addressOf = (request: Request) => normalizeIp(request.address, 64);

type NamedAccount = { username?: unknown; email?: unknown } | undefined;

/** Hashed, so that no e-mail address lies about in Redis. */
function accountOf(body: NamedAccount): string | undefined {
  const account = body?.username ?? body?.email;
  return typeof account === 'string'
    ? createHash('sha256').update(emailKey(account)).digest('base64url')
    : undefined;
}
