import { Injectable, Req } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { Request, Response } from 'express';
import { StartupError } from '../config/startup-error';
import { PROBLEMS } from '../problems/catalogue';
import { invalid, Problem, ProblemAnswer, toAnswer } from '../problems/problem';
import type { KeyedRequest } from './answer-cipher';
import { IdempotencyService, isKept } from './idempotency.service';
import { IDEMPOTENT_OPTIONS, type IdempotentOptions, type Once } from './idempotent.decorator';
import { inProgress, StoredAnswer, type Answer, type KeyClaim } from './key-claim';

type Handler = (...args: unknown[]) => unknown;

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
        requireLastParameter(controller, name, handler);
        // Nest hands it the request as one more argument.
        Req()(prototype, name, handler.length);
        controller[name] = this.wrap(handler.bind(controller), handler);
      }
    }
  }

  private wrap(call: Handler, handler: Handler): Handler {
    const { by, replayedWithout = [] } = Reflect.getMetadata(
      IDEMPOTENT_OPTIONS,
      handler,
    ) as IdempotentOptions;
    const last = handler.length - 1;
    const wrapped = (...args: unknown[]) => {
      const request = args[handler.length] as Request;
      const callWith = (argument: unknown) => call(...args.slice(0, last), argument);
      if (request.headers['idempotency-key'] === undefined) {
        if (by === 'batch') return call(...args);
        return callWith(runWithoutKey);
      }
      return by === 'batch'
        ? this.answerInBatch(request, callWith)
        : this.answerInTransaction(request, replayedWithout, callWith);
    };
    Object.defineProperty(wrapped, 'name', { value: handler.name });
    for (const key of Reflect.getMetadataKeys(handler)) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), wrapped);
    }
    return wrapped;
  }

  /** The statement that does the work decides whether the request is the first with its key, and keeps the outcome. */
  private async answerInBatch(request: Request, call: (claim: KeyClaim) => unknown): Promise<unknown> {
    return await this.alone(request, async (claim) => {
      try {
        const result = await call(claim);
        if (claim.isAnswerKept)
          return await this.answerOnce(request, claim, [], () => Promise.resolve(result));
        if (claim.replayOf !== undefined) request.res?.set(REPLAYED);
        return result;
      } catch (error) {
        if (error instanceof StoredAnswer) return send(request, error.answer, true);
        if (!(error instanceof Problem)) throw error;
        // It was refused before it came to a statement.
        if (!claim.isSettled && isKept(PROBLEMS[error.code].status))
          return await this.answerOnce(request, claim, [], () => Promise.reject(error));
        if (claim.replayOf === undefined) throw error;
        const { status, code, headers, body } = toAnswer(error, claim.replayOf);
        throw new ProblemAnswer(status, code, { ...headers, ...REPLAYED }, body);
      }
    });
  }

  /** The handler prepares without a transaction, and opens the one that keeps the answer by what it is given. */
  private async answerInTransaction(
    request: Request,
    replayedWithout: string[],
    call: (once: Once) => unknown,
  ): Promise<unknown> {
    return await this.alone(request, async (claim) => {
      const answer = await this.idempotency.find(claim);
      if (answer) return send(request, leaveOut(replayedWithout, answer), true);
      const once = (work: () => Promise<unknown>) => {
        claim.isSettled = true;
        return this.answerOnce(request, claim, replayedWithout, work);
      };
      try {
        return await call(once as Once);
      } catch (error) {
        // It was refused while it was prepared.
        const isFirst = !claim.isSettled && error instanceof Problem && isKept(PROBLEMS[error.code].status);
        if (!isFirst) throw error;
        return await once(() => Promise.reject(error));
      }
    });
  }

  /**
   * Keeps a request with the same key from being prepared, or waiting for its turn, beside the first one.
   *
   * @throws {Problem} `idempotency_in_progress`
   */
  private async alone<Result>(request: Request, work: (claim: KeyClaim) => Promise<Result>): Promise<Result> {
    const claim = this.idempotency.claim(keyedRequest(request), request.id);
    if (this.underWay.has(claim.name)) throw inProgress();
    this.underWay.add(claim.name);
    try {
      return await work(claim);
    } finally {
      this.underWay.delete(claim.name);
    }
  }

  private async answerOnce(
    request: Request,
    claim: KeyClaim,
    replayedWithout: string[],
    work: () => Promise<unknown>,
  ): Promise<string | undefined> {
    const response = request.res as Response;
    // A transaction may be tried again, with the headers of the first try still there.
    const before = new Set(response.getHeaderNames());
    const { answer, isReplayed } = await this.idempotency.once(
      claim,
      (request.caller ?? request.device) !== undefined,
      () => recordAnswer(response, before, work),
      (error) => refusalOf(error, request.id),
    );
    return send(request, isReplayed ? leaveOut(replayedWithout, answer) : answer, isReplayed);
  }
}

/** Else the last of the arguments with decorators would be replaced, in silence. */
function requireLastParameter(controller: object, name: string, handler: Handler): void {
  const decorated: unknown = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller.constructor, name) ?? {};
  const indexes = Object.values(decorated as Record<string, { index: number }>).map(({ index }) => index);
  if (handler.length > 0 && !indexes.includes(handler.length - 1)) return;
  throw new StartupError(
    `${controller.constructor.name}.${name} is marked @Idempotent(): give it one last parameter without a decorator ` +
      '("once: Once", or "claim?: KeyClaim" where it is worked off in a batch).',
  );
}

const runWithoutKey: Once = (work) => work();

/** The answer, a JSON object, without these fields. */
const leaveOut = (fields: string[], answer: Answer): Answer =>
  fields.length === 0
    ? answer
    : {
        ...answer,
        body: JSON.stringify(JSON.parse(answer.body), (name, value: unknown) =>
          fields.includes(name) ? undefined : value,
        ),
      };

const REPLAYED = { 'Idempotent-Replayed': 'true' };

const keyedRequest = (request: Request): KeyedRequest => ({
  caller: request.caller?.userId ?? (request.device && -request.device.deviceId),
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
  request.res?.status(answer.status).set(headers);
  if (answer.body === '') return undefined;
  request.res?.type('application/json');
  return answer.body;
}

async function recordAnswer(
  response: Response,
  before: Set<string>,
  work: () => Promise<unknown>,
): Promise<Answer> {
  const result = await work();
  const names = response.getHeaderNames().filter((name) => !before.has(name));
  const headers = Object.fromEntries(names.map((name) => [name, String(response.getHeader(name))]));
  return { status: response.statusCode, headers, body: result === undefined ? '' : JSON.stringify(result) };
}

/** @throws what is no answer to keep: that the database is out of reach, say, or what a corrected body may turn */
function refusalOf(error: unknown, requestId: string): Answer {
  if (!(error instanceof Problem) || PROBLEMS[error.code].status >= 500) throw error;
  if (error.code === 'validation_failed') throw error;
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
