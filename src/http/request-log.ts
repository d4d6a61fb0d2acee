import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { requestId } from './request-id';

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
