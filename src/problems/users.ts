import type { ProblemKind } from './problem-kind';

/** Accounts. */
export const USERS_PROBLEMS = {
  user_not_found: {
    status: 404,
    title: 'User not found',
    detail: 'User not found',
    advice: 'Check the id, and whose token you send: another account looks as if it were not there.',
  },
  user_location_not_set: {
    status: 404,
    title: 'Location not set',
    detail: 'User location not set',
    advice: 'Search with `GET /events?near=latitude,longitude` instead, or ask the user for a location.',
  },
  email_taken: {
    status: 409,
    title: 'E-mail taken',
    detail: 'Email already registered',
    advice: 'Sign in with POST /auth/token instead, or sign up with another address.',
  },
  password_not_set: {
    status: 409,
    title: 'No password set',
    detail: 'This account was made without a password, so there is none to change',
    advice: 'Sign up again with a password, under another e-mail address.',
  },
  session_not_found: {
    status: 404,
    title: 'Session not found',
    detail: 'Session not found',
    advice: 'Take the id from GET /users/me/sessions: the session has ended, or belongs to another account.',
  },
} as const satisfies Record<string, ProblemKind>;
