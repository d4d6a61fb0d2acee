import { createHash, timingSafeEqual } from 'node:crypto';
import type { ErrorRequestHandler, Request, RequestHandler } from 'express';
import { Refusal } from './refusal';
import type { Sandbox } from './sandbox';

/** Whether a request without the secret key may do what people do at a provider's dashboard. */
export type IsOperator = (request: Request) => boolean;

/** Opens the books; lets in who shows the secret key, and operators. */
export function admit(sandbox: Sandbox, isOperator: IsOperator): RequestHandler {
  return (request, _response, next) => {
    const [, given = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (!isSame(given, sandbox.options.secret) && !isOperator(request))
      throw new Refusal(401, 'unauthenticated', 'Send the secret key as a bearer token.');
    sandbox.open().then(() => next(), next);
  };
}

/** Opens the books to anyone. */
export const admitAll =
  (sandbox: Sandbox): RequestHandler =>
  (_request, _response, next) => {
    sandbox.open().then(() => next(), next);
  };

/** The answer to an error that is no refusal tells nothing of its cause. */
export const answerRefusal: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (response.headersSent) {
    next(error);
    return;
  }
  if (!(error instanceof Refusal)) response.locals.error = error; // for the log
  const { status, code, message } = error instanceof Refusal ? error : refusalOf(error);
  response.status(status).json({ error: { code, message } });
};

function refusalOf(error: unknown): Refusal {
  const { status } = Object(error) as { status?: unknown };
  // The body parser's: too large, malformed.
  if (typeof status === 'number' && status < 500)
    return new Refusal(status, 'malformed', 'Malformed request.');
  return new Refusal(500, 'internal_error', 'Something went wrong here. Try again.');
}

const digest = (text: string) => createHash('sha256').update(text).digest();
const isSame = (given: string, secret: string) => timingSafeEqual(digest(given), digest(secret));
