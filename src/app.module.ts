import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { AppController } from './app.controller';
import { AuthGuard } from './auth/auth.guard';
import { AuthModule } from './auth/auth.module';
import { oauthErrorOf } from './auth/oauth-error';
import { BodyGuard } from './http/body.guard';
import { ProblemFilter } from './http/problem.filter';
import { RequestDeadline } from './http/request-deadline';
import { UndeclaredInputGuard } from './http/undeclared-input.guard';
import { ValidationPipe } from './http/validation.pipe';
import { CheckInModule } from './check-in/check-in.module';
import { ConfigModule } from './config/config.module';
import type { Settings } from './config/settings';
import { databaseProblem } from './database/database-error';
import { DatabaseModule } from './database/database.module';
import type { TixxetyDataSource } from './database/tixxety-data-source';
import { DocumentsModule } from './documents/documents.module';
import { EventsModule } from './events/events.module';
import { ExpirationModule } from './expiration/expiration.module';
import { HealthModule } from './health/health.module';
import { IdempotencyModule } from './idempotency/idempotency.module';
import { RelayModule } from './jobs/jobs.module';
import { MetricsModule } from './metrics/metrics.module';
import { OrdersModule } from './orders/orders.module';
import { PaymentProviderModule } from './payments/payment-provider.module';
import { PaymentTasksModule } from './payments/payment-tasks.module';
import { PaymentsModule } from './payments/payments.module';
import { QueueModule } from './queue/queue.module';
import { CountedAuthGuard } from './rate-limit/counted-auth.guard';
import { RateLimitGuard } from './rate-limit/rate-limit.guard';
import { RateLimitModule } from './rate-limit/rate-limit.module';
import { TicketsModule } from './tickets/tickets.module';
import { TracingModule } from './tracing/tracing.module';
import { UsersModule } from './users/users.module';

/** What the API and the worker share. */
const shared = (role: 'api' | 'worker', settings: Settings, dataSource: TixxetyDataSource) => [
  ConfigModule.register(settings),
  DatabaseModule.register(dataSource),
  QueueModule.register(settings, dataSource.installation),
  PaymentProviderModule,
  HealthModule,
  MetricsModule.register(role, settings),
  TracingModule.register(role, settings, dataSource),
];

/** In this order: identify the caller, refuse one that calls too often, read the body. */
const guards = ({ RATE_LIMIT_PER_MINUTE }: Settings) =>
  RATE_LIMIT_PER_MINUTE > 0
    ? [
        AuthGuard,
        RateLimitGuard,
        { provide: APP_GUARD, useClass: CountedAuthGuard },
        { provide: APP_GUARD, useExisting: RateLimitGuard },
        { provide: APP_GUARD, useClass: BodyGuard },
      ]
    : [
        { provide: APP_GUARD, useClass: AuthGuard },
        { provide: APP_GUARD, useClass: BodyGuard },
      ];

/** Answers HTTP requests; without Redis also makes holds end on time. */
@Module({})
export class ApiModule {
  static register(settings: Settings, dataSource: TixxetyDataSource): DynamicModule {
    return {
      module: ApiModule,
      controllers: [AppController],
      imports: [
        ...shared('api', settings, dataSource),
        // Express tries one route after the other, so that those a crowd asks for come first.
        // Documents come before all they are of: /tickets/1.pdf would otherwise be taken for /tickets/{ticket_id}.
        DocumentsModule,
        TicketsModule,
        OrdersModule,
        // Events come before users: /users/for-you would otherwise be taken for /users/{user_id}.
        EventsModule,
        UsersModule,
        CheckInModule,
        PaymentsModule,
        AuthModule,
        RateLimitModule.register(settings, dataSource.installation),
        IdempotencyModule,
        ...(settings.REDIS_URL === undefined
          ? [ExpirationModule.register(settings), RelayModule.register(settings), PaymentTasksModule]
          : []),
      ],
      providers: [
        RequestDeadline,
        { provide: APP_FILTER, useValue: new ProblemFilter(databaseProblem, oauthErrorOf) },
        ...guards(settings),
        { provide: APP_GUARD, useClass: UndeclaredInputGuard },
        { provide: APP_PIPE, useClass: ValidationPipe },
      ],
    };
  }
}

/** Makes holds end on time; serves no routes. */
@Module({})
export class WorkerModule {
  static register(settings: Settings, dataSource: TixxetyDataSource): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        ...shared('worker', settings, dataSource),
        // Accounts, which tickets need, count guesses.
        RateLimitModule.register(settings, dataSource.installation),
        ExpirationModule.register(settings),
        OrdersModule,
        PaymentTasksModule,
        RelayModule.register(settings),
      ],
    };
  }
}
