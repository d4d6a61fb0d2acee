import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { infoLine } from '../logging/info-line';
import { clientAddress } from './client-address';
import { requestId } from './request-id';
import { isProbe, NO_ROUTE, routeOf, statusOf } from './request-outcome';

declare module 'express-serve-static-core' {
  interface Request {
    /** The client's, as far as `TRUST_PROXY` believes what proxies say of it. */
    address: string;
    /** The trace that this request belongs to, where traces are on. */
    trace?: { trace_id: string; span_id: string };
  }
}

/** An invented address may have 16 kB. */
const LONGEST_PATH = 200;

/** What the log says of each request, whether the application answered it or Node refused it. */
interface RequestLine {
  request_id: string;
  /** Left out where Node could not read so far; the same goes for `path` and `ms`. */
  method?: string;
  /** The template of the route, or `none`. */
  route: string;
  /** Without the query, and only where there is no route: the ids in an address add nothing to the other fields. */
  path?: string;
  /** 499: the client has gone before its answer. */
  status: number;
  ms?: number;
  /** The id of the user who is signed in. */
  account?: number;
  /** The id of the device at a gate. */
  device?: number;
  /** The client's. */
  address: string;
  /** The code of the problem that was answered. */
  problem?: string;
  trace_id?: string;
  span_id?: string;
  /** Of what is our fault, the cause. */
  err?: unknown;
  /** Of what Node refused, Node's name for what is wrong. */
  reason?: string;
  /** Written by `requestLines`. */
  msg?: string;
}

/** Writes the line of a request: a failure of ours is an error, and what monitoring asks for again and again is hidden. */
export function requestLines(logger: Logger): (line: RequestLine) => void {
  const info = infoLine(logger);
  return (line) => {
    const { method = '-', route, path = route, status, err } = line;
    const msg = `${method} ${path} ${status}`;
    if (status >= 500 || err !== undefined) logger.error(line, msg);
    else if (status < 400 && isProbe(route)) logger.debug(line, msg);
    else {
      // Not a copy with it: that would take as long as all the rest.
      line.msg = msg;
      info(line);
    }
  };
}

/**
 * Logs one line a request, once its answer is sent or its client has gone. Headers, queries and bodies stay out: they
 * may carry what must not be logged. (pino-http builds two child loggers a request for the same line.)
 */
export function requestLogger(logger: Logger): RequestHandler {
  const log = requestLines(logger);
  return (request, response, next) => {
    const start = performance.now();
    const request_id = (request.id = requestId(request, response));
    // Now, because a connection that is gone has no address any more.
    const address = (request.address = clientAddress(request));
    response.on('close', () => {
      const route = routeOf(request);
      const status = statusOf(response);
      log({
        request_id,
        method: request.method,
        route,
        path: route === NO_ROUTE ? pathOf(request.originalUrl) : undefined,
        status,
        ms: Math.round(10 * (performance.now() - start)) / 10,
        account: request.caller?.userId,
        device: request.device?.deviceId,
        address,
        problem: response.locals.problem as string | undefined,
        trace_id: request.trace?.trace_id,
        span_id: request.trace?.span_id,
        err: response.locals.error as unknown,
      });
    });
    next();
  };
}

const pathOf = (url: string) => url.split('?', 1)[0]?.slice(0, LONGEST_PATH);
