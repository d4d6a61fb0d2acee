import type { Response } from 'express';
import { PROBLEMS, type ProblemCode } from './catalogue';

/** One part of the input that does not validate; `pointer` is a JSON Pointer (RFC 6901) to it. */
export interface FieldError {
  pointer: string;
  detail: string;
}

/** A refusal names at most so many parts of the input: it must not cost more than the input itself. */
export const MAX_ERRORS = 20;
/** In characters; a longer pointer is cut there and ends with `…`. */
const MAX_POINTER = 200;

/** A step of a JSON Pointer; of a key that is too long to be shown, its beginning. */
export const escapePointer = (key: string) =>
  key
    .slice(0, MAX_POINTER + 1)
    .replaceAll('~', '~0')
    .replaceAll('/', '~1');

/** Extension members (RFC 9457, section 3.2) that help a program. The OpenAPI document describes each. */
export interface ProblemMembers {
  ticket_status?: string;
  order_status?: string;
  refund_status?: string;
  /** Names the order that is to be asked about instead. */
  order_code?: string;
  paid_at?: Date;
  held?: number;
  sold?: number;
  error?: string;
  error_description?: string;
}

/** What one refusal says beside what all with its code say. */
export interface ProblemDetails {
  /** A sentence that is more exact than the one of the code. */
  detail?: string;
  errors?: FieldError[];
  headers?: Record<string, string>;
  members?: ProblemMembers;
}

/** Where no log shows the stack, none is captured: that takes as long as all else there is to a refusal. */
class ErrorWithStackIf extends Error {
  constructor(message: string, hasStack: boolean) {
    const { stackTraceLimit } = Error;
    if (!hasStack) Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Thrown wherever a request is refused; the problem filter turns it into the answer. */
export class Problem extends ErrorWithStackIf {
  readonly errors?: FieldError[];
  readonly headers: Record<string, string>;
  readonly members: ProblemMembers;

  constructor(
    readonly code: ProblemCode,
    { detail = PROBLEMS[code].detail, errors, headers = {}, members = {} }: ProblemDetails = {},
  ) {
    super(detail, PROBLEMS[code].status >= 500);
    this.errors = errors;
    this.headers = headers;
    this.members = members;
  }
}

/** A refusal as it goes out, in `application/problem+json`. Where it is thrown, it is sent as it is. */
export class ProblemAnswer extends ErrorWithStackIf {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly headers: Record<string, string>,
    readonly body: string,
  ) {
    super(body, false);
  }
}

/**
 * @param requestId the request that is refused
 * @param more members for its client, which those of the problem itself come before
 */
export function toAnswer(
  { code, message: detail, errors, headers, members }: Problem,
  requestId: string,
  more: object = {},
): ProblemAnswer {
  const { status, title } = PROBLEMS[code];
  const type = `/docs/errors#${code}`;
  const body = {
    type,
    title,
    status,
    detail,
    code,
    request_id: requestId,
    ...more,
    ...members,
    errors: errors && shown(errors),
  };
  return new ProblemAnswer(status, code, headers, JSON.stringify(body));
}

const shown = (errors: FieldError[]) =>
  errors.slice(0, MAX_ERRORS).map(({ pointer, detail }) => ({ pointer: cut(pointer), detail }));

const cut = (pointer: string) =>
  pointer.length > MAX_POINTER ? `${pointer.slice(0, MAX_POINTER - 1)}…`.toWellFormed() : pointer;

/** A 422 that names one part of the input. */
export const invalid = (pointer: string, detail: string) =>
  new Problem('validation_failed', { errors: [{ pointer, detail }] });

/**
 * Sends a refusal, and leaves its code for the log and the metrics. (Express would first look for an ETag, a charset and
 * whether the client has it already.)
 */
export function sendAnswer(response: Response, { status, code, headers, body }: ProblemAnswer): void {
  response.locals.problem = code;
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('Content-Type', 'application/problem+json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
}
