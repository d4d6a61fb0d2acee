import type { Request } from 'express';
import { PROBLEMS } from '../problems/catalogue';
import type { Problem } from '../problems/problem';

/** Where OAuth clients ask: the token endpoint (RFC 6749) and the revocation endpoint (RFC 7009). */
const ENDPOINTS = /^\/auth\/(token|revoke)\/?(\?|$)/;

/** What a refusal says in the words of OAuth (RFC 6749, section 5.2), beside the problem's own members. */
export interface OAuthError {
  error: 'invalid_grant' | 'invalid_request' | 'unsupported_grant_type';
  error_description: string;
}

/** The OAuth error of a refusal; undefined elsewhere than at OAuth's endpoints, and for what OAuth has no word. */
export function oauthErrorOf(problem: Problem, request: Request): OAuthError | undefined {
  const { status, detail } = PROBLEMS[problem.code];
  const isOAuth = ENDPOINTS.test(request.originalUrl) && request.method === 'POST';
  if (!isOAuth || status >= 500 || status === 429) return undefined;
  const [{ pointer, detail: part } = { pointer: '', detail: '' }] = problem.errors ?? [];
  return {
    error: isGrantTypeUnknown(problem, request) ? 'unsupported_grant_type' : 'invalid_request',
    error_description: ascii(pointer === '' ? detail : `${detail}: ${pointer} ${part}`),
  };
}

function isGrantTypeUnknown({ errors = [] }: Problem, { body }: Request): boolean {
  const given: unknown = (body as { grant_type?: unknown } | undefined)?.grant_type;
  return typeof given === 'string' && errors.some(({ pointer }) => pointer === '/grant_type');
}

/** A description has no other characters (RFC 6749, appendix A.8); a pointer may have any. */
const ascii = (text: string) => text.slice(0, 300).replace(/[^ !#-[\]-~]/g, '?');
