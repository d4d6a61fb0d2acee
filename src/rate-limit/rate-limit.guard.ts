import { Injectable, type ExecutionContext } from '@nestjs/common';
import { ThrottlerGuard } from '@nestjs/throttler';
import type { Request, Response } from 'express';
import { networkOf, type Network } from '../http/network';
import { Problem } from '../problems/problem';
import { RATE_LIMIT, type RateLimit } from './rate-limit.decorator';

/** For people who share an address. */
const CREDENTIALS_PER_ADDRESS = 100;
/** Callers with tokens that one address has room for, each as busy as it may be. A carrier's customers are seldom that busy. */
const CALLERS_PER_ADDRESS = 20;
/** Networks of IPv6 that one site has room for. */
const NETWORKS_PER_SITE = 16;

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
    if (kind === 'credentials') {
      await this.countCredentials(request, response);
      return true;
    }
    const network = networkOf(request.address);
    const policy = request.method === 'GET' || request.method === 'HEAD' ? 'reading' : 'writing';
    const name = nameOf(request);
    if (name === undefined) await this.countNetwork(response, policy, network, limit, ttl);
    else {
      await this.count(policy, name, limit, ttl, response);
      await this.countNetwork(undefined, `${policy}-together`, network, limit * CALLERS_PER_ADDRESS, ttl);
    }
    return true;
  }

  /**
   * Counts a request with credentials by its address.
   *
   * @throws {Problem} `rate_limited`
   */
  async countCredentials({ address }: Request, response: Response): Promise<void> {
    const [{ limit, ttl }] = this.throttlers as [{ limit: number; ttl: number }];
    const perAddress = Math.min(limit, CREDENTIALS_PER_ADDRESS);
    await this.countNetwork(response, 'credentials-address', networkOf(address), perAddress, ttl);
  }

  /** Counts an address and, where it has one, the site around it. */
  private async countNetwork(
    response: Response | undefined,
    policy: string,
    { address, site }: Network,
    limit: number,
    ttl: number,
  ): Promise<void> {
    await this.count(policy, address, limit, ttl, response);
    if (site !== undefined) await this.count(policy, site, limit * NETWORKS_PER_SITE, ttl);
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

  /** @param told gets headers that say what is left; not where others count, too, whose requests are nobody's business */
  private async count(
    policy: string,
    who: string,
    limit: number,
    ttl: number,
    told?: Response,
  ): Promise<void> {
    const { totalHits, timeToExpire, isBlocked } = await this.storageService.increment(
      `${policy}:${who}`,
      ttl,
      limit,
      0,
      policy,
    );
    told?.setHeader('RateLimit-Policy', `"${policy}";q=${limit};w=${ttl / 1_000}`);
    told?.setHeader('RateLimit', `"${policy}";r=${Math.max(0, limit - totalHits)};t=${timeToExpire}`);
    if (isBlocked) throw new Problem('rate_limited', { headers: { 'Retry-After': String(timeToExpire) } });
  }
}

/** The name under which requests count together: that of an account, or of a device. */
const nameOf = ({ caller, device }: Request): string | undefined =>
  caller ? `user ${caller.userId}` : device && `device ${device.deviceId}`;
