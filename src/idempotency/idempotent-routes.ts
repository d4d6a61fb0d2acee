import { Injectable, Req } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { Request, Response } from 'express';
import { PROBLEMS } from '../problems/catalogue';
import { invalid, Problem, ProblemAnswer, toAnswer } from '../problems/problem';
import { IdempotencyService, type Answer } from './idempotency.service';
import { IS_IDEMPOTENT, REPLAYED_WITHOUT } from './idempotent.decorator';

type Handler = (...args: unknown[]) => unknown;

/** Gives the routes that are marked `@Idempotent()` their `Idempotency-Key`. */
@Injectable()
export class IdempotentRoutes {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly idempotency: IdempotencyService,
  ) {}

  /**
   * Wraps the handlers, before Nest makes routes of them; guards and pipes are passed before. (An interceptor, which
   * would be the usual way, costs every request 6 µs, whether it carries a key or not.)
   */
  wrapHandlers(): void {
    for (const { instance } of this.discovery.getControllers()) {
      const controller = instance as Record<string, Handler>;
      const prototype = Object.getPrototypeOf(controller) as Record<string, Handler>;
      for (const name of this.scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name] as Handler;
        if (Reflect.getMetadata(IS_IDEMPOTENT, handler) !== true) continue;
        // Nest hands it the request as one more argument.
        Req()(prototype, name, handler.length);
        controller[name] = this.wrap(handler.bind(controller), handler);
      }
    }
  }

  private wrap(call: Handler, handler: Handler): Handler {
    const without = Reflect.getMetadata(REPLAYED_WITHOUT, handler) as string[];
    const wrapped = (...args: unknown[]) => {
      const request = args[handler.length] as Request;
      return request.headers['idempotency-key'] === undefined
        ? call(...args)
        : this.answerOnce(request, without, () => call(...args));
    };
    Object.defineProperty(wrapped, 'name', { value: handler.name });
    for (const key of Reflect.getMetadataKeys(handler)) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), wrapped);
    }
    return wrapped;
  }

  private async answerOnce(
    request: Request,
    without: string[],
    call: () => unknown,
  ): Promise<string | undefined> {
    const response = request.res as Response;
    const { answer, isReplayed } = await this.idempotency.once(
      {
        caller: request.caller?.userId,
        key: keyOf(request),
        method: request.method,
        path: request.originalUrl.replace(/\/$/, ''),
        body: request.body,
      },
      () => recordAnswer(response, call),
      (error) => refusalOf(error, request.id),
    );
    const headers = { ...answer.headers, ...(isReplayed && { 'Idempotent-Replayed': 'true' }) };
    if (answer.status >= 400) {
      const { code } = JSON.parse(answer.body) as { code: string };
      throw new ProblemAnswer(answer.status, code, headers, answer.body);
    }
    // Its status is the one of the route.
    response.set(headers);
    if (answer.body === '') return undefined;
    response.type('application/json');
    return isReplayed && without.length > 0 ? leaveOut(without, answer.body) : answer.body;
  }
}

/** A JSON object without these fields. */
const leaveOut = (fields: string[], json: string) =>
  JSON.stringify(JSON.parse(json), (name, value: unknown) => (fields.includes(name) ? undefined : value));

async function recordAnswer(response: Response, call: () => unknown): Promise<Answer> {
  const before = new Set(response.getHeaderNames());
  const result = await call();
  const names = response.getHeaderNames().filter((name) => !before.has(name));
  const headers = Object.fromEntries(names.map((name) => [name, String(response.getHeader(name))]));
  return { status: response.statusCode, headers, body: result === undefined ? '' : JSON.stringify(result) };
}

/** @throws what is no answer to the request itself, such as that the database is out of reach */
function refusalOf(error: unknown, requestId: string): Answer {
  if (!(error instanceof Problem) || PROBLEMS[error.code].status >= 500) throw error;
  const { status, headers, body } = toAnswer(error, requestId);
  return { status, headers, body };
}

/** @throws {Problem} `validation_failed` */
function keyOf(request: Request): string {
  // A header that is given twice arrives with a comma and a space between its values.
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw invalid('/Idempotency-Key', 'must be given once, as 1 to 255 visible ASCII characters');
  }
  return key;
}

const KEY = /^[!-~]{1,255}$/;
