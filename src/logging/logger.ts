import { hostname } from 'node:os';
import type { LoggerService } from '@nestjs/common';
import { pino, type Logger, type LoggerOptions } from 'pino';
import pretty from 'pino-pretty';
import { batchedDestination } from './batched-destination';

/** What a person sees on the line itself, and need not read again behind it. */
const SEEN = 'pid,hostname,role,context,method,route,path,status';

/**
 * One JSON object a line on stdout; readable lines when a person watches.
 *
 * @param role stands in each line, since a machine's log may hold those of several processes
 */
export function createLogger(level: string, role: string, isTerminal = process.stdout.isTTY): Logger {
  const base = { pid: process.pid, hostname: hostname(), role };
  const options: LoggerOptions = { level, base, serializers: { err: withoutValues } };
  return isTerminal
    ? pino(options, pretty({ sync: true, singleLine: true, ignore: SEEN, messageFormat: '{context} {msg}' }))
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

/** A message may be an object: its fields, with `msg` for people. */
const fieldsOf = (message: unknown, context?: string): object =>
  message instanceof Object ? { context, ...message } : { context, msg: String(message) };

/** Lets Nest write to pino. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log = (message: unknown, context = '') =>
    this.logger[FRAMEWORK.has(context) ? 'debug' : 'info'](fieldsOf(message, context));
  warn = (message: unknown, context?: string) => this.logger.warn(fieldsOf(message, context));
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
