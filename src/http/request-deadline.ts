import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { RequestHandler, Response } from 'express';
import { Problem, sendAnswer, toAnswer } from '../problems/problem';
import { hasBody } from './request-body';

/** A request that waits this long is answered 503: with all that comes on top, no client waits for three seconds. */
export const ANSWER_WITHIN_MS = 2_500;
const LOOK_EVERY_MS = 100;
const PATIENCE_LOOKS = ANSWER_WITHIN_MS / LOOK_EVERY_MS;

/** How long a connection on which nothing is under way may still be used while the process ends. */
const LAST_REQUESTS_MS = 1_500;

/** The answer to a request that has waited too long. */
export const unanswered = () => new Problem('service_unavailable', { headers: { 'Retry-After': '1' } });

/** Keeps each request from waiting for long, and from being dropped when the process ends. */
@Injectable()
export class RequestDeadline implements OnApplicationShutdown {
  /** Since which look each has been waiting, in the order in which they came. */
  private readonly responses = new Map<Response, number>();
  // Looks, not milliseconds: while this process is kept from looking, it can't have answered either.
  private looks = 0;
  private readonly timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  private isEnding = false;

  /** How many requests are waiting for their answer. */
  get size(): number {
    return this.responses.size;
  }

  /** Begins at once, except where a body is still to be read, which may take as long as the client's network does. */
  readonly middleware: RequestHandler = (request, response, next) => {
    if (hasBody(request)) response.shouldKeepAlive &&= !this.isEnding;
    else this.begin(response);
    next();
  };

  /** From now on the request is to be answered in time. */
  begin(response: Response): void {
    response.shouldKeepAlive &&= !this.isEnding;
    this.responses.set(response, this.looks);
    response.on('close', () => this.responses.delete(response));
  }

  /**
   * Takes no new connections and lets those there are end with an answer, the next one that each has to give. One that
   * was closed between two requests may carry the second already, which would get none.
   */
  async end(server: Server): Promise<void> {
    this.isEnding = true;
    // Node then says `Connection: close`, unless it has said more already.
    for (const response of this.responses.keys()) response.shouldKeepAlive = false;
    // That of HTTP's own server would close the connections on which nothing is under way at this moment.
    const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
    const closedWithin = (ms: number) => Promise.race([closed, sleep(ms, undefined, { ref: false })]);
    await closedWithin(LAST_REQUESTS_MS);
    server.closeIdleConnections();
    // By then what has been asked in full is answered. A client that sends or reads no further must not keep us.
    await closedWithin(ANSWER_WITHIN_MS);
    server.closeAllConnections();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /**
   * Answers 503 where no answer was found in time: each thing that a request waits for has a limit of its own, but they
   * add up. What was begun goes on, as after an answer that is lost on its way.
   */
  private look(): void {
    this.looks++;
    for (const [response, since] of this.responses) {
      if (this.looks - since <= PATIENCE_LOOKS) return;
      this.responses.delete(response);
      if (response.headersSent) continue;
      response.locals.error = new Error(`No answer within ${ANSWER_WITHIN_MS} ms`);
      sendAnswer(response, toAnswer(unanswered(), response.req.id));
    }
  }
}
