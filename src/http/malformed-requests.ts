import type { Request, RequestHandler } from 'express';
import type { ProblemCode } from '../problems/catalogue';
import { Problem } from '../problems/problem';
import { beginAnswer } from './under-way';

const MOST_HEADERS = 100;
/** Of one connection, whose answers wait for each other in memory. No browser sends a second before the first answer. */
const MOST_UNDER_WAY = 16;

/** Refuses what Node lets through, or would refuse without a problem document. */
export function refuseUnsound(): RequestHandler {
  return (request, response, next) => {
    const code = beginAnswer(response) > MOST_UNDER_WAY ? 'overloaded' : faultOf(request);
    if (code === undefined) {
      next();
      return;
    }
    // Whatever else comes over this connection is no sounder.
    response.setHeader('Connection', 'close');
    next(new Problem(code));
  };
}

function faultOf({ rawHeaders, headers, httpVersion, url, originalUrl }: Request): ProblemCode | undefined {
  // `HttpAdapter` puts another target in the place of one that has no path.
  if (url !== originalUrl) return 'malformed_request';
  if (rawHeaders.length > 2 * MOST_HEADERS) return 'headers_too_large';
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  // RFC 9112, section 3.2; HTTP/1.0 knew of none.
  if (hosts > 1 || (hosts === 0 && httpVersion !== '1.0')) return 'malformed_request';
  const { expect } = headers;
  return expect !== undefined && expect.toLowerCase() !== '100-continue' ? 'expectation_failed' : undefined;
}
