import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Express, Response } from 'express';
import { isCacheable, sendCacheable } from './cacheable';
import { countUnread } from './unread-answers';

/** Express, without two things that take most of its time and that no route here needs. */
export class HttpAdapter extends ExpressAdapter {
  /**
   * Makes requests and responses that are Express's from birth. Express changes the prototype of each one it is handed,
   * and V8 makes all that follows pay for it: properties are looked up the slow way, and the garbage of a request
   * survives until the next full collection. Where the prototype is right already, changing it does nothing.
   */
  override initHttpServer(): void {
    const app = this.getInstance<Express>();
    class ExpressRequest extends IncomingMessage {}
    class ExpressResponse<Request extends IncomingMessage> extends ServerResponse<Request> {}
    app.request = Object.setPrototypeOf(ExpressRequest.prototype, app.request) as Express['request'];
    app.response = Object.setPrototypeOf(ExpressResponse.prototype, app.response) as Express['response'];
    this.httpServer = createServer(
      {
        IncomingMessage: ExpressRequest,
        ServerResponse: ExpressResponse,
        // Node would answer without a problem document; `refuseUnsound` looks for the header.
        requireHostHeader: false,
      },
      app,
    );
    // Node would ask for the body before it is known whether it is wanted, and refuse other expectations by itself.
    this.httpServer.on('checkContinue', app);
    this.httpServer.on('checkExpectation', app);
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
