import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '../auth/auth.guard';
import { RateLimitGuard } from './rate-limit.guard';

/**
 * Counts those who are not let in, too, by their address: otherwise the limit, which looks at a request only after it
 * is known whose it is, would let anybody try out as many tokens as they like. Costs those who are let in nothing.
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
