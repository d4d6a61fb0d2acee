import type { ProblemKind } from './problem-kind';

/** Accounts. */
export const USERS_PROBLEMS = {
  user_not_found: { status: 404, title: 'User not found', detail: 'User not found' },
  user_location_not_set: { status: 404, title: 'Location not set', detail: 'User location not set' },
  email_taken: { status: 409, title: 'E-mail taken', detail: 'Email already registered' },
} as const satisfies Record<string, ProblemKind>;
