import type { LoggerService } from '@nestjs/common';
import type { RequestHandler } from 'express';
import { pino, type Logger, type LoggerOptions } from 'pino';
import pretty from 'pino-pretty';
import { lineWriter } from './line-writer';
import { requestId } from './request-id';

/** One JSON object a line on stdout; readable lines when a person watches. */
export function createLogger(level: string, isTerminal = process.stdout.isTTY): Logger {
  const options: LoggerOptions = { level, serializers: { err: withoutValues } };
  return isTerminal
    ? pino(options, pretty({ sync: true, ignore: 'pid,hostname', messageFormat: '{context} {msg}' }))
    : pino(options, lineWriter(process.stdout.fd));
}

/** An error as it may be logged: those of the database also carry the values that somebody sent. */
function withoutValues(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name: type, message, stack, cause } = error;
  const { code } = error as NodeJS.ErrnoException;
  return { type, code, message, stack, cause: withoutValues(cause) };
}

/**
 * Logs one line a request, once its answer is sent or its client has gone. Headers, queries and bodies stay out: they
 * may carry what must not be logged. (pino-http builds two child loggers a request for the same line.)
 */
export function requestLogger(logger: Logger): RequestHandler {
  return (request, response, next) => {
    const start = performance.now();
    const request_id = (request.id = requestId(request, response));
    response.once('close', () => {
      const ms = Math.round(performance.now() - start);
      const outcome = response.writableFinished ? String(response.statusCode) : 'aborted by the client';
      const line = `${request.method} ${request.originalUrl.split('?', 1)[0]} ${outcome}`;
      if (response.statusCode >= 500)
        logger.error({ request_id, ms, err: response.locals.error as unknown }, line);
      else logger.info({ request_id, ms }, line);
    });
    next();
  };
}

// What Nest tells of its own start: every module and every route, a line each.
const FRAMEWORK = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** Lets Nest write to pino. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log = (message: unknown, context = '') =>
    this.logger[FRAMEWORK.has(context) ? 'debug' : 'info']({ context }, String(message));
  warn = (message: unknown, context?: string) => this.logger.warn({ context }, String(message));
  debug = (message: unknown, context?: string) => this.logger.debug({ context }, String(message));
  verbose = (message: unknown, context?: string) => this.logger.trace({ context }, String(message));

  error = (error: unknown, ...rest: unknown[]) => {
    const context = rest.at(-1);
    // Nest logs what keeps it from starting and throws it too: whoever started it says it.
    if (FRAMEWORK.has(String(context))) return;
    if (error instanceof Error) this.logger.error({ context, err: error }, error.message);
    else this.logger.error({ context, stack: rest.length > 1 ? rest[0] : undefined }, String(error));
  };
}
