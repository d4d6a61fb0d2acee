import { isUtf8 } from 'node:buffer';
import { json, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { Problem, type ProblemCode } from './problem';

/** Refuses a body that does not call itself JSON. */
export function requireJson(request: Request, _response: Response, next: NextFunction): void {
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0;
  next(hasBody && !request.is('application/json') ? new Problem('unsupported_media_type') : undefined);
}

/** Parses a JSON body of at most `limit`, such as `32kb`; one that can't be parsed is refused as a problem. */
export function jsonBody(limit: string): RequestHandler {
  const parse = json({
    limit,
    verify: (_request, _response, body) => {
      if (!isUtf8(body)) throw new Problem('malformed_json');
    },
  });
  return (request, response, next) =>
    parse(request, response, (error?: { type?: string }) =>
      next(error && new Problem(PROBLEM_OF_PARSER[error.type ?? ''] ?? 'malformed_json')),
    );
}

const PROBLEM_OF_PARSER: Record<string, ProblemCode> = {
  'entity.too.large': 'body_too_large',
  'encoding.unsupported': 'unsupported_media_type',
  'charset.unsupported': 'unsupported_media_type',
};
