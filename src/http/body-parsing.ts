import { isUtf8 } from 'node:buffer';
import {
  json,
  urlencoded,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { ProblemCode } from '../problems/catalogue';
import { Problem } from '../problems/problem';

/** Refuses a body that does not call itself JSON, unless it has been parsed already. */
export function requireJson(request: Request, _response: Response, next: NextFunction): void {
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0;
  const isRead = request.body !== undefined;
  next(hasBody && !isRead && !isJson(request) ? new Problem('unsupported_media_type') : undefined);
}

// Nearly every client writes it so, and parsing a media type takes a while.
const isJson = (request: Request) =>
  request.headers['content-type'] === 'application/json' || request.is('application/json');

/** Parses an HTML form of at most `limit`, and leaves other bodies alone. */
export function formBody(limit: string): RequestHandler {
  return translated(urlencoded({ limit, extended: false, verify: requireUtf8 }));
}

/**
 * Parses a body of at most `limit`, such as `32kb`, that {@link requireJson} let through; one that can't be parsed is
 * refused as a problem.
 */
export function jsonBody(limit: string): RequestHandler {
  return translated(json({ limit, verify: requireUtf8, type: () => true }));
}

const requireUtf8 = (_request: unknown, _response: unknown, body: Buffer) => {
  if (!isUtf8(body)) throw new Problem('malformed_json');
};

const translated =
  (parse: RequestHandler): RequestHandler =>
  (request, response, next) =>
    parse(request, response, (error?: unknown) =>
      next(
        error && new Problem(PROBLEM_OF_PARSER[(error as { type?: string }).type ?? ''] ?? 'malformed_json'),
      ),
    );

const PROBLEM_OF_PARSER: Record<string, ProblemCode> = {
  'entity.too.large': 'body_too_large',
  'parameters.too.many': 'body_too_large',
  'encoding.unsupported': 'unsupported_media_type',
  'charset.unsupported': 'unsupported_media_type',
};
