import type { LoggerService } from '@nestjs/common';
import { pino, stdSerializers, type Logger } from 'pino';
import { pinoHttp, type HttpLogger } from 'pino-http';
import pretty from 'pino-pretty';
import { requestId } from './request-id';

/** One JSON object a line on stdout; readable lines when a person watches. */
export function createLogger(level: string, isTerminal = process.stdout.isTTY): Logger {
  return isTerminal
    ? pino({ level }, pretty({ sync: true, ignore: 'pid,hostname', messageFormat: '{context} {msg}' }))
    : pino({ level });
}

/** One line a request. Headers and bodies stay out: they may carry what must not be logged. */
export function createHttpLogger(logger: Logger): HttpLogger {
  return pinoHttp({
    logger,
    quietReqLogger: true,
    genReqId: requestId,
    customAttributeKeys: { reqId: 'request_id', responseTime: 'ms' },
    customLogLevel: (_request, response, error) => (error || response.statusCode >= 500 ? 'error' : 'info'),
    customSuccessMessage: (request, response) =>
      `${request.method} ${pathOf(request.url)} ${response.statusCode}`,
    customErrorMessage: (request, response) =>
      `${request.method} ${pathOf(request.url)} ${response.statusCode}`,
    serializers: { req: () => undefined, res: () => undefined, err: stdSerializers.errWithCause },
  });
}

const pathOf = (url = '') => url.split('?', 1)[0];

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
    if (error instanceof Error) this.logger.error({ context, err: error }, error.message);
    else this.logger.error({ context, stack: rest.length > 1 ? rest[0] : undefined }, String(error));
  };
}
