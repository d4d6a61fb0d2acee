import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

declare module 'express-serve-static-core' {
  interface Request {
    /** Names this request in the log, in problems and in `X-Request-Id`. */
    id: string;
  }
}

/** The id a client sent in `X-Request-Id`, if it is harmless, otherwise a new one; goes out in the same header. */
export function requestId(request: IncomingMessage, response: ServerResponse): string {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID();
  response.setHeader('X-Request-Id', id);
  return id;
}
