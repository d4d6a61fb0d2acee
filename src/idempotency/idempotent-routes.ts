import { Injectable, Req } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { Request, Response } from 'express';
import { PROBLEMS } from '../problems/catalogue';
import { invalid, Problem, ProblemAnswer, toAnswer } from '../problems/problem';
import type { KeyedRequest } from './answer-cipher';
import { IdempotencyService, isKept } from './idempotency.service';
import { IDEMPOTENT_OPTIONS, type IdempotentOptions } from './idempotent.decorator';
import { inProgress, StoredAnswer, type Answer, type KeyClaim } from './key-claim';

type Handler = (...args: unknown[]) => unknown;

type TransactionOptions = IdempotentOptions & { by?: 'transaction' | 'passwords' };

/** Gives the routes that are marked `@Idempotent()` their `Idempotency-Key`. */
@Injectable()
export class IdempotentRoutes {
  /** Names of the claims that this process works on. */
  private readonly underWay = new Set<string>();

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
        if (Reflect.getMetadata(IDEMPOTENT_OPTIONS, handler) === undefined) continue;
        // Nest hands it the request as one more argument.
        Req()(prototype, name, handler.length);
        controller[name] = this.wrap(handler.bind(controller), handler);
      }
    }
  }

  private wrap(call: Handler, handler: Handler): Handler {
    const { by, replayedWithout } = Reflect.getMetadata(IDEMPOTENT_OPTIONS, handler) as IdempotentOptions;
    const wrapped = (...args: unknown[]) => {
      const request = args[handler.length] as Request;
      if (request.headers['idempotency-key'] === undefined) return call(...args);
      if (by === 'batch')
        return this.answerInBatch(request, (claim) => call(...args.slice(0, handler.length - 1), claim));
      return this.answerOnce(request, { by, replayedWithout }, () => call(...args));
    };
    Object.defineProperty(wrapped, 'name', { value: handler.name });
    for (const key of Reflect.getMetadataKeys(handler)) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), wrapped);
    }
    return wrapped;
  }

  /** The statement that does the work decides whether the request is the first with its key, and keeps the outcome. */
  private async answerInBatch(request: Request, call: (claim: KeyClaim) => unknown): Promise<unknown> {
    const claim = this.idempotency.claim(keyedRequest(request), request.id);
    // It may wait for long for its turn: one that comes meanwhile need not wait behind it.
    if (this.underWay.has(claim.name)) throw inProgress();
    this.underWay.add(claim.name);
    try {
      const result = await call(claim);
      if (claim.replayOf !== undefined) request.res?.set(REPLAYED);
      return result;
    } catch (error) {
      if (error instanceof StoredAnswer) return send(request, error.answer, true);
      if (!(error instanceof Problem)) throw error;
      // It was refused before it came to a statement.
      if (!claim.isSettled && isKept(PROBLEMS[error.code].status))
        return await this.answerOnce(request, {}, () => Promise.reject(error));
      if (claim.replayOf === undefined) throw error;
      const { status, code, headers, body } = toAnswer(error, claim.replayOf);
      throw new ProblemAnswer(status, code, { ...headers, ...REPLAYED }, body);
    } finally {
      this.underWay.delete(claim.name);
    }
  }

  private async answerOnce(
    request: Request,
    { by = 'transaction', replayedWithout = [] }: TransactionOptions,
    call: () => unknown,
  ): Promise<string | undefined> {
    const { answer, isReplayed } = await this.idempotency.once(
      keyedRequest(request),
      by,
      () => recordAnswer(request.res as Response, call),
      (error) => refusalOf(error, request.id),
    );
    const { body } = answer;
    return isReplayed && replayedWithout.length > 0
      ? send(request, { ...answer, body: leaveOut(replayedWithout, body) }, true)
      : send(request, answer, isReplayed);
  }
}

/** A JSON object without these fields. */
const leaveOut = (fields: string[], json: string) =>
  JSON.stringify(JSON.parse(json), (name, value: unknown) => (fields.includes(name) ? undefined : value));

const REPLAYED = { 'Idempotent-Replayed': 'true' };

const keyedRequest = (request: Request): KeyedRequest => ({
  caller: request.caller?.userId,
  key: keyOf(request),
  method: request.method,
  path: request.originalUrl.replace(/\/$/, ''),
  body: request.body as unknown,
});

/** @throws {ProblemAnswer} where the answer is a refusal */
function send(request: Request, answer: Answer, isReplayed: boolean): string | undefined {
  const headers = { ...answer.headers, ...(isReplayed && REPLAYED) };
  if (answer.status >= 400) {
    const { code } = JSON.parse(answer.body) as { code: string };
    throw new ProblemAnswer(answer.status, code, headers, answer.body);
  }
  // Its status is the one of the route.
  request.res?.set(headers);
  if (answer.body === '') return undefined;
  request.res?.type('application/json');
  return answer.body;
}

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
