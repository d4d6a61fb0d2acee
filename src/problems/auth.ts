import type { ProblemKind } from './problem-kind';

/** Signing in. */
export const AUTH_PROBLEMS = {
  unauthenticated: {
    status: 401,
    title: 'Not signed in',
    detail: 'This needs a valid access token, sent as `Authorization: Bearer …`; POST /auth/token gives one',
    advice:
      'Send `Authorization: Bearer …` with an access token. Where it has ended, get a new one from POST /auth/token, by refresh token or by e-mail and password, and send the request again.',
  },
  invalid_credentials: {
    status: 401,
    title: 'Invalid credentials',
    detail: 'The credentials are wrong, or no longer good',
    advice:
      'Ask the person for e-mail and password again. A refresh token that is refused stays refused: forget it and sign in anew. Do not repeat the request unchanged.',
  },
  forbidden: {
    status: 403,
    title: 'Forbidden',
    detail: 'Your account may not do this',
    advice:
      'Ask somebody who may, such as an admin of this server; `detail` says who that is. Do not repeat the request with this account.',
  },
} as const satisfies Record<string, ProblemKind>;
