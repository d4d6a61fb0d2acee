import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '../auth/auth.guard';
import { RateLimitGuard } from './rate-limit.guard';

/**
 * Counts refused requests, too, by their address: otherwise the limit, which looks at a request only once its caller is
 * known, would let a client try out any number of tokens. Requests that pass cost nothing more.
 */
@Injectable()
export class CountedAuthGuard implements CanActivate {
  constructor(
    private readonly auth: AuthGuard,
    private readonly limit: RateLimitGuard,
  ) {}

  /** @throws {Problem} `unauthenticated`, `rate_limited` */
  canActivate(context: ExecutionContext): boolean | Promise<never> {
    try {
      return this.auth.canActivate(context);
    } catch (refusal) {
      return this.count(context, refusal);
    }
  }

  private async count(context: ExecutionContext, refusal: unknown): Promise<never> {
    await this.limit.canActivate(context);
    throw refusal;
  }
}
