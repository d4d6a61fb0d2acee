import type { ProblemKind } from './problem-kind';

/** Limits on how much one caller may ask. */
export const RATE_LIMIT_PROBLEMS = {
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    detail: 'You make more requests than is allowed; the Retry-After header says how many seconds to wait',
    advice:
      'Wait for as long as `Retry-After` says. The `RateLimit` header tells how many requests are left, so slow down before they run out.',
  },
} as const satisfies Record<string, ProblemKind>;
