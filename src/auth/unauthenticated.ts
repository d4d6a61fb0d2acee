import { PROBLEMS } from '../problems/catalogue';
import { Problem } from '../problems/problem';
import type { OAuthError } from './oauth-error';

/** The header that RFC 9110 wants of every 401, as RFC 6750 spells it. */
const CHALLENGE = 'WWW-Authenticate';
const REALM = 'Bearer realm="Tixxety API"';

/** A 401 for a request without an access token, or with an invalid one. */
export const unauthenticated = (error?: 'invalid_token') =>
  new Problem('unauthenticated', {
    headers: { [CHALLENGE]: error === undefined ? REALM : `${REALM}, error="${error}"` },
  });

/** A 401 for a wrong password or refresh token. */
export const invalidCredentials = () =>
  new Problem('invalid_credentials', { headers: { [CHALLENGE]: REALM }, members: { ...INVALID_GRANT } });

const INVALID_GRANT: OAuthError = {
  error: 'invalid_grant',
  error_description: PROBLEMS.invalid_credentials.detail,
};
