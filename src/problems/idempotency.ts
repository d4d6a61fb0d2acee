import type { ProblemKind } from './problem-kind';

/** `Idempotency-Key`. */
export const IDEMPOTENCY_PROBLEMS = {
  idempotency_in_progress: {
    status: 409,
    title: 'In progress',
    detail: 'A request with this Idempotency-Key is still being worked on; send it again in a moment',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency key reused',
    detail: 'This Idempotency-Key has been used for another request; take a new one for each',
  },
} as const satisfies Record<string, ProblemKind>;
