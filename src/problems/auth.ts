import type { ProblemKind } from './problem-kind';

/** Signing in. */
export const AUTH_PROBLEMS = {
  unauthenticated: {
    status: 401,
    title: 'Not signed in',
    detail: 'This needs a valid access token, sent as `Authorization: Bearer …`; POST /auth/token gives one',
  },
  invalid_credentials: {
    status: 401,
    title: 'Invalid credentials',
    detail: 'The credentials are wrong, or no longer good',
  },
} as const satisfies Record<string, ProblemKind>;
