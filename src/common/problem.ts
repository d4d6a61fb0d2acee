import type { Response } from 'express';

/**
 * The error catalogue: every `code` that an answer may carry, with its status and the sentence a person reads.
 * A code never changes its meaning; clients branch on it.
 */
export const PROBLEMS = {
  malformed_request: {
    status: 400,
    title: 'Malformed request',
    detail: 'What came over this connection is not HTTP/1.1',
  },
  validation_failed: { status: 422, title: 'Validation failed', detail: 'The request does not validate' },
  malformed_json: { status: 422, title: 'Malformed JSON', detail: 'The body is not valid JSON in UTF-8' },
  invalid_credentials: {
    status: 401,
    title: 'Invalid credentials',
    detail: 'The credentials are wrong, or no longer good',
  },
  unauthenticated: {
    status: 401,
    title: 'Not signed in',
    detail: 'This needs a valid access token, sent as `Authorization: Bearer …`; POST /auth/token gives one',
  },
  user_not_found: { status: 404, title: 'User not found', detail: 'User not found' },
  event_not_found: { status: 404, title: 'Event not found', detail: 'Event not found' },
  ticket_not_found: { status: 404, title: 'Ticket not found', detail: 'Ticket not found' },
  user_location_not_set: { status: 404, title: 'Location not set', detail: 'User location not set' },
  route_not_found: { status: 404, title: 'Route not found', detail: 'There is nothing at this address' },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    detail: 'This address does not answer this method; the Allow header lists those it does',
  },
  request_timeout: {
    status: 408,
    title: 'Request timeout',
    detail: 'The request did not arrive within the time that is given to it',
  },
  email_taken: { status: 409, title: 'E-mail taken', detail: 'Email already registered' },
  event_ended: { status: 409, title: 'Event ended', detail: 'Event has ended' },
  event_sold_out: { status: 409, title: 'Sold out', detail: 'Event is sold out' },
  hold_limit_reached: {
    status: 409,
    title: 'Hold limit reached',
    detail: 'This user holds as many unpaid tickets for this event as is allowed; pay or cancel one first',
  },
  idempotency_in_progress: {
    status: 409,
    title: 'In progress',
    detail: 'A request with this Idempotency-Key is still being worked on; send it again in a moment',
  },
  ticket_not_payable: { status: 409, title: 'Not payable', detail: 'Ticket already paid or expired' },
  ticket_not_cancellable: {
    status: 409,
    title: 'Not cancellable',
    detail: 'Ticket already paid, expired or cancelled',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency key reused',
    detail: 'This Idempotency-Key has been used for another request; take a new one for each',
  },
  body_too_large: {
    status: 413,
    title: 'Body too large',
    detail: 'The body is larger than this address takes',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    detail: 'The body must be application/json in UTF-8',
  },
  hold_cool_down: {
    status: 429,
    title: 'Hold cool-down',
    detail:
      'This user let too many unpaid tickets for this event expire or be cancelled; the Retry-After header says how ' +
      'many seconds to wait',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    detail: 'You make more requests than is allowed; the Retry-After header says how many seconds to wait',
  },
  headers_too_large: {
    status: 431,
    title: 'Headers too large',
    detail: 'The address and the headers together are larger than this server takes',
  },
  internal_error: {
    status: 500,
    title: 'Internal error',
    detail: 'Something went wrong on our side; quote the request_id when you report it',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    detail: 'More is asked of this server than it can do right now; try again in a moment',
  },
  service_unavailable: {
    status: 503,
    title: 'Service unavailable',
    detail: 'A service this request needs is out of reach; try again in a moment',
  },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** One part of the input that does not validate; `pointer` is a JSON Pointer (RFC 6901) to it. */
export interface FieldError {
  pointer: string;
  detail: string;
}

/** A step of a JSON Pointer. */
export const escapePointer = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** Thrown wherever a request is refused; the problem filter turns it into the answer. */
export class Problem extends Error {
  constructor(
    readonly code: ProblemCode,
    readonly errors?: FieldError[],
    readonly headers: Record<string, string> = {},
  ) {
    super(PROBLEMS[code].detail);
  }
}

/** A refusal as it goes out, in `application/problem+json`. Where it is thrown, it is sent as it is. */
export class ProblemAnswer extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly headers: Record<string, string>,
    readonly body: string,
  ) {
    super(body);
  }
}

/** @param requestId the request that is refused */
export function toAnswer({ code, errors, headers }: Problem, requestId: string): ProblemAnswer {
  const { status, title, detail } = PROBLEMS[code];
  const type = `/docs/errors#${code}`;
  const body = { type, title, status, detail, code, request_id: requestId, errors };
  return new ProblemAnswer(status, code, headers, JSON.stringify(body));
}

/** A 422 that names one part of the input. */
export const invalid = (pointer: string, detail: string) =>
  new Problem('validation_failed', [{ pointer, detail }]);

/** Sends a refusal, and leaves its code for those who log and count. */
export function sendAnswer(response: Response, { status, code, headers, body }: ProblemAnswer): void {
  response.locals.problem = code;
  response.status(status).set(headers).type('application/problem+json').send(body);
}
