import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { NestFactory } from '@nestjs/core';
import type { Logger } from 'pino';
import { WorkerModule } from './app.module';
import { answerClientErrors } from './http/client-errors';
import { limitConnections } from './http/connection-limits';
import { SECURITY_HEADERS } from './http/security-headers';
import { NestLogger } from './logging/logger';
import { urlOf, type RunningServer } from './http/running-server';
import { StartupError } from './config/startup-error';
import { openDatabase, type DatabaseOptions } from './database/open-database';
import { HealthService } from './health/health.service';
import { MetricsService } from './metrics/metrics.service';

/**
 * Starts a worker.
 *
 * @returns the address of its health checks, and how to stop it
 * @throws {StartupError}
 */
export async function startWorker(options: DatabaseOptions, logger: Logger): Promise<RunningServer> {
  const { HOST, WORKER_PORT, REDIS_URL } = options.settings;
  if (REDIS_URL === undefined) {
    throw new StartupError(
      'REDIS_URL is not set: a worker takes its jobs from Redis, so set REDIS_URL, or start only the API, which ' +
        'releases holds itself.',
    );
  }
  const dataSource = await openDatabase(options, 'worker');
  const app = await NestFactory.createApplicationContext(
    WorkerModule.register(options.settings, dataSource),
    {
      abortOnError: false,
      logger: new NestLogger(logger),
    },
  );
  const server = createWorkerServer(app.get(HealthService), app.get(MetricsService, { strict: false }));
  limitConnections(server, () => false);
  answerClientErrors(server, logger);
  try {
    options.stopped?.throwIfAborted();
    server.listen(WORKER_PORT, HOST);
    await once(server, 'listening');
  } catch (error) {
    await app.close();
    options.stopped?.throwIfAborted();
    throw new StartupError(
      `WORKER_PORT ${WORKER_PORT} can't be used on ${HOST} (${(error as Error).message}): set it to a free port, or to 0.`,
    );
  }
  return {
    url: urlOf(server.address() as AddressInfo),
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await app.close();
    },
    unfinished: () => 0,
  };
}

/** Serves `/health/live`, `/health/ready` and, with the token, `/metrics`; nothing else. */
function createWorkerServer(health: HealthService, metrics: MetricsService): Server {
  return createServer((request, response) => {
    const send = (status: number, body: object) => {
      response
        .writeHead(status, { ...SECURITY_HEADERS, 'Content-Type': 'application/json' })
        .end(JSON.stringify(body));
    };
    if (request.url === '/health/live') send(200, { status: 'ok' });
    else if (request.url === '/health/ready') {
      void health.ready().then(({ isReady, report }) => send(isReady ? 200 : 503, report));
    } else if (request.url === '/metrics' && metrics.isAllowed(request.headers.authorization)) {
      void metrics
        .scrape()
        .then((text) =>
          response.writeHead(200, { ...SECURITY_HEADERS, 'Content-Type': metrics.contentType }).end(text),
        );
    } else send(404, { status: 'not found' });
  });
}
