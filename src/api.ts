import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { ApiModule } from './app.module';
import { withJwtSecret } from './auth/jwt-secret';
import { answerClientErrors } from './http/client-errors';
import { limitConnections } from './http/connection-limits';
import { HttpAdapter } from './http/http-adapter';
import { requestLogger } from './http/request-log';
import { NestLogger } from './logging/logger';
import { RequestDeadline } from './http/request-deadline';
import { urlOf, type RunningServer } from './http/running-server';
import { pageHeaders, securityHeaders } from './http/security-headers';
import { refuseUnsound } from './http/malformed-requests';
import { servesSandbox } from './config/payment-settings';
import type { Settings } from './config/settings';
import { StartupError } from './config/startup-error';
import { openDatabase, type DatabaseOptions } from './database/open-database';
import type { TixxetyDataSource } from './database/tixxety-data-source';
import { RequestMetrics } from './metrics/request-metrics';
import { ownSandboxSecret } from './payments/sandbox/sandbox-secret';
import { SandboxServer } from './payments/sandbox/sandbox-server';
import { serveDocs } from './openapi/serve-docs';
import { serveScanner } from './scanner/scanner';
import { demoAdmin } from './users/admin.service';
import { serveQueueDashboard } from './queue-dashboard/queue-dashboard';

/** Express's reading of `TRUST_PROXY`; `hop` counts from this process on. */
type IsTrusted = (address: string, hop: number) => boolean;

/** The API with its routes and documentation, not yet listening. */
export async function createApi(
  settings: Settings,
  dataSource: TixxetyDataSource,
  logger: Logger,
): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(
    ApiModule.register(settings, dataSource),
    new HttpAdapter(),
    {
      abortOnError: false,
      bodyParser: false,
      logger: new NestLogger(logger),
    },
  );
  app.disable('x-powered-by');
  // Most answers are for one caller, and change with every ticket; those for all are tagged where they are sent.
  app.disable('etag');
  app.set('trust proxy', settings.TRUST_PROXY);
  const isTrusted = app.getHttpAdapter().getInstance().get('trust proxy fn') as IsTrusted;
  limitConnections(app.getHttpServer(), (address) => isTrusted(address, 0));
  const metrics = app.get(RequestMetrics, { strict: false });
  answerClientErrors(app.getHttpServer(), logger, metrics.countProblem);
  app.use(requestLogger(logger));
  app.use(metrics.middleware);
  app.use(securityHeaders(settings.TRUST_PROXY !== 0));
  app.use(refuseUnsound());
  app.use('/docs', pageHeaders());
  if (settings.CORS_ORIGINS.length > 0) app.enableCors(crossOrigin(settings.CORS_ORIGINS));
  if (hasQueueDashboard(settings)) await serveQueueDashboard(app);
  if (servesSandbox(settings)) await serveSandbox(app, settings, dataSource);
  app.use(app.get(RequestDeadline, { strict: false }).middleware);
  serveDocs(app);
  if (settings.GATE_PAGE === 'on') serveScanner(app);
  return app;
}

/** What pages of the origins may do: as much as any client, with a token but never by a cookie. */
const crossOrigin = (origins: string[]) => ({
  origin: origins,
  methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
  allowedHeaders: [
    'Authorization',
    'Content-Type',
    'Idempotency-Key',
    'If-Match',
    'If-None-Match',
    'X-Request-Id',
    'traceparent',
  ],
  exposedHeaders: [
    'ETag',
    'Idempotent-Replayed',
    'Link',
    'Location',
    'RateLimit',
    'RateLimit-Policy',
    'Retry-After',
    'X-Request-Id',
  ],
  maxAge: 600,
});

/** Before the deadline: another party takes the time it takes. */
async function serveSandbox(
  app: NestExpressApplication,
  { SANDBOX_SECRET }: Settings,
  dataSource: TixxetyDataSource,
): Promise<void> {
  const secret = SANDBOX_SECRET ?? (await ownSandboxSecret(dataSource));
  app.get(SandboxServer, { strict: false }).serve(app, dataSource.url, secret);
}

const hasQueueDashboard = ({ QUEUE_DASHBOARD, NODE_ENV, REDIS_URL }: Settings) =>
  REDIS_URL !== undefined && (QUEUE_DASHBOARD ?? (NODE_ENV === 'production' ? 'off' : 'on')) === 'on';

/**
 * Starts the API.
 *
 * @returns the address it answers at, and how to stop it
 * @throws {StartupError}
 */
export async function startApi(options: DatabaseOptions, logger: Logger): Promise<RunningServer> {
  const { HOST, PORT } = options.settings;
  const settings = await withJwtSecret(options.settings);
  const dataSource = await openDatabase(options, 'api');
  const admin = await demoAdmin(settings, dataSource);
  const app = await createApi({ ...settings, ...admin }, dataSource, logger);
  try {
    options.stopped?.throwIfAborted();
    await app.listen(PORT, HOST);
  } catch (error) {
    await app.close();
    throw listenError(error, HOST, PORT);
  }
  const url = urlOf(app.getHttpServer().address() as AddressInfo);
  const deadline = app.get(RequestDeadline, { strict: false });
  const stop = async () => {
    // A connection ends after an answer, not when its client lets go of it.
    app.getHttpServer().keepAliveTimeout = 1;
    await deadline.end(app.getHttpServer());
    await app.close();
  };
  return { url, admin, stop, unfinished: () => deadline.size };
}

/** What keeps a server from listening, in words. */
export function listenError(error: unknown, host: string, port: number): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new StartupError(
        `PORT ${port} is taken on ${host}: set PORT to a free one, or stop what listens there.`,
      );
    case 'EACCES':
      return new StartupError(`PORT ${port} needs rights this user does not have: set PORT to 1024 or more.`);
    case 'EADDRNOTAVAIL':
    case 'EINVAL': // a link-local address without its interface
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new StartupError(
        `HOST ${host} is no address of this machine: set HOST to one, such as 127.0.0.1.`,
      );
    default:
      return error;
  }
}
