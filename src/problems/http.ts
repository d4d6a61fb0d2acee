import type { ProblemKind } from './problem-kind';

/** What any request may be refused with. */
export const HTTP_PROBLEMS = {
  malformed_request: {
    status: 400,
    title: 'Malformed request',
    detail: 'What came over this connection is not HTTP/1.1',
    advice: 'Look at what your client or a proxy in between writes. Any HTTP library gets this right.',
  },
  validation_failed: {
    status: 422,
    title: 'Validation failed',
    detail: 'The request does not validate',
    advice: 'Mend each part that `errors` names by its `pointer`. Do not repeat the request unchanged.',
  },
  malformed_json: {
    status: 422,
    title: 'Malformed JSON',
    detail: 'The body is not valid JSON in UTF-8',
    advice: 'Let a JSON library write the body, in UTF-8. Do not repeat the request unchanged.',
  },
  route_not_found: {
    status: 404,
    title: 'Route not found',
    detail: 'There is nothing at this address',
    advice: 'Check the address against `/openapi.json`.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    detail: 'This address does not answer this method; the Allow header lists those it does',
    advice: 'Use one of the methods in the `Allow` header.',
  },
  request_timeout: {
    status: 408,
    title: 'Request timeout',
    detail: 'The request did not arrive within the time that is given to it',
    advice: 'Send the whole request at once. Over a slow line send less, or try again.',
  },
  body_too_large: {
    status: 413,
    title: 'Body too large',
    detail: 'The body is larger than this address takes',
    advice: 'Send less: 512 kB for an event or a batch of check-ins, 32 kB elsewhere.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    detail: 'The body must be application/json in UTF-8',
    advice:
      'Set `Content-Type: application/json` and encode the body in UTF-8; `/auth/…` takes HTML forms, too. Do not compress the body.',
  },
  expectation_failed: {
    status: 417,
    title: 'Expectation failed',
    detail: 'The Expect header may say nothing but 100-continue',
    advice: 'Leave the `Expect` header out.',
  },
  headers_too_large: {
    status: 431,
    title: 'Headers too large',
    detail: 'The address and the headers together are larger, or the headers more, than this server takes',
    advice:
      'Shorten the address and the headers to 16 kB together, and send at most 100 headers. Cookies and long query strings are the usual cause.',
  },
  internal_error: {
    status: 500,
    title: 'Internal error',
    detail: 'Something went wrong on our side; quote the request_id when you report it',
    advice:
      'Try again once, a POST with the same `Idempotency-Key`. Where it stays, report it with its `request_id`.',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    detail: 'More is asked of this server than it can do right now; try again in a moment',
    advice:
      'Wait for as long as `Retry-After` says, and a little longer each time; send a POST with the same `Idempotency-Key`.',
  },
  service_unavailable: {
    status: 503,
    title: 'Service unavailable',
    detail: 'A service this request needs is out of reach; try again in a moment',
    advice:
      'Wait for as long as `Retry-After` says, and a little longer each time; send a POST with the same `Idempotency-Key`. `GET /health/ready` tells when all is well.',
  },
} as const satisfies Record<string, ProblemKind>;
