import type { RequestHandler } from 'express';
import helmet from 'helmet';

/** Answers are data: no browser may run, frame, sniff or keep them. */
export const SECURITY_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};
const HEADERS = Object.entries(SECURITY_HEADERS);

/**
 * Sets on every answer what tells browsers to be careful with it. (helmet composes its headers anew for each request,
 * at three times the price, and most of them mean nothing to JSON.)
 *
 * @param isBehindProxy there may be TLS in front, which browsers then shall insist on
 */
export function securityHeaders(isBehindProxy: boolean): RequestHandler {
  return (request, response, next) => {
    for (const [name, value] of HEADERS) response.setHeader(name, value);
    if (isBehindProxy && request.secure) {
      response.setHeader('Strict-Transport-Security', 'max-age=31536000');
    }
    next();
  };
}

/**
 * The same for pages. What only works over HTTPS is left out: over plain HTTP, as the documentation is first seen, a
 * browser would load none of its parts, or complain.
 */
export function pageHeaders(): RequestHandler {
  const setHeaders = helmet({
    contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    strictTransportSecurity: false,
  });
  return (request, response, next) => {
    response.removeHeader('Cache-Control');
    setHeaders(request, response, next);
  };
}
