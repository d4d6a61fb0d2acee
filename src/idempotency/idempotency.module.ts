import { Module, type NestModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { IdempotencyRepository } from './idempotency.repository';
import { IdempotencyService } from './idempotency.service';
import { IdempotentRoutes } from './idempotent-routes';

@Module({
  imports: [DiscoveryModule],
  providers: [IdempotencyRepository, IdempotencyService, IdempotentRoutes],
  exports: [IdempotencyService],
})
export class IdempotencyModule implements NestModule {
  constructor(private readonly routes: IdempotentRoutes) {}

  /** Meant for middleware: what Nest calls last before it makes routes of the handlers. */
  configure(): void {
    this.routes.wrapHandlers();
  }
}
