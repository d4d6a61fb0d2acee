import {
  createServer,
  IncomingMessage,
  ServerResponse,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Express, Request, Response } from 'express';
import { isCacheable, sendCacheable } from './cacheable';
import { countUnread } from './unread-answers';

/**
 * A server whose requests and responses are Express's from birth. Express changes the prototype of each one it is handed, and
 * V8 makes all that follows pay for it: properties are looked up the slow way, and the garbage of a request survives until the
 * next full collection. Where the prototype is right already, changing it does nothing.
 */
export function createExpressServer(
  app: Express,
  listener: RequestListener = app,
  options: ServerOptions = {},
): Server {
  class ExpressRequest extends IncomingMessage {}
  class ExpressResponse<Request extends IncomingMessage> extends ServerResponse<Request> {}
  app.request = Object.setPrototypeOf(ExpressRequest.prototype, app.request) as Express['request'];
  app.response = Object.setPrototypeOf(ExpressResponse.prototype, app.response) as Express['response'];
  return createServer(
    { ...options, IncomingMessage: ExpressRequest, ServerResponse: ExpressResponse },
    listener,
  );
}

/**
 * Express gives a target that has no path up before any middleware, such as `http://[bad/users/me`. `refuseUnsound` gets it
 * with another one, and sees that it is not the original.
 */
const listenerOf =
  (app: Express): RequestListener =>
  (request, response) =>
    app(request as Request, response as Response, () => {
      request.url = '/';
      app(request as Request, response as Response);
    });

/** Express, without two things that take most of its time and that no route here needs. */
export class HttpAdapter extends ExpressAdapter {
  override initHttpServer(): void {
    const app = this.getInstance<Express>();
    const listener = listenerOf(app);
    // Node would answer without a problem document; `refuseUnsound` looks for the header.
    this.httpServer = createExpressServer(app, listener, { requireHostHeader: false });
    // Node would ask for the body before it is known whether it is wanted, and refuse other expectations by itself.
    this.httpServer.on('checkContinue', listener);
    this.httpServer.on('checkExpectation', listener);
  }

  /** Sends an object as JSON. (Express would first look for an ETag, a charset and how to indent.) */
  override reply(response: Response, body: unknown, statusCode = response.statusCode): void {
    if (typeof body !== 'object' || body === null || response.hasHeader('Content-Type')) {
      super.reply(response, body, statusCode);
      return;
    }
    const json = JSON.stringify(body);
    response.statusCode = statusCode;
    if (isCacheable(response)) {
      sendCacheable(response, json);
      return;
    }
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    const bytes = Buffer.byteLength(json);
    response.setHeader('Content-Length', bytes);
    response.end(json);
    countUnread(response, bytes);
  }
}
