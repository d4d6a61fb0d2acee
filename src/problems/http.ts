import type { ProblemKind } from './problem-kind';

/** What any request may be refused with. */
export const HTTP_PROBLEMS = {
  malformed_request: {
    status: 400,
    title: 'Malformed request',
    detail: 'What came over this connection is not HTTP/1.1',
  },
  validation_failed: { status: 422, title: 'Validation failed', detail: 'The request does not validate' },
  malformed_json: { status: 422, title: 'Malformed JSON', detail: 'The body is not valid JSON in UTF-8' },
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
} as const satisfies Record<string, ProblemKind>;
