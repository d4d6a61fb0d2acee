import type { LoggerService } from '@nestjs/common';
import { pino, type Logger, type LoggerOptions } from 'pino';
import pretty from 'pino-pretty';
import { batchedDestination } from './batched-destination';

/** One JSON object a line on stdout; readable lines when a person watches. */
export function createLogger(level: string, isTerminal = process.stdout.isTTY): Logger {
  const options: LoggerOptions = { level, serializers: { err: withoutValues } };
  return isTerminal
    ? pino(options, pretty({ sync: true, ignore: 'pid,hostname', messageFormat: '{context} {msg}' }))
    : pino(options, batchedDestination(process.stdout.fd));
}

/** An error as it may be logged: errors of the database also carry the values of the request. */
function withoutValues(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name: type, message, stack, cause } = error;
  const { code } = error as NodeJS.ErrnoException;
  return { type, code, message, stack, cause: withoutValues(cause) };
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
    // Nest logs what keeps it from starting and throws it too: main.ts says it.
    if (FRAMEWORK.has(String(context))) return;
    if (error instanceof Error) this.logger.error({ context, err: error }, error.message);
    else this.logger.error({ context, stack: rest.length > 1 ? rest[0] : undefined }, String(error));
  };
}
