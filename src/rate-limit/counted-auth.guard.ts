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

  /** @throws {Problem} `unauthenticated`, `forbidden`, `rate_limited` */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    try {
      const isAdmitted = this.auth.canActivate(context);
      return typeof isAdmitted === 'boolean'
        ? isAdmitted
        : isAdmitted.catch((refusal: unknown) => this.count(context, refusal));
    } catch (refusal) {
      return this.count(context, refusal);
    }
  }

  private async count(context: ExecutionContext, refusal: unknown): Promise<never> {
    await this.limit.canActivate(context);
    throw refusal;
  }
}
