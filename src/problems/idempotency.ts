import type { ProblemKind } from './problem-kind';

/** `Idempotency-Key`. */
export const IDEMPOTENCY_PROBLEMS = {
  idempotency_in_progress: {
    status: 409,
    title: 'In progress',
    detail: 'A request with this Idempotency-Key is still being worked on; send it again in a moment',
    advice: 'Wait a second and send the same request with the same key: the answer of the first one comes.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency key reused',
    detail: 'This Idempotency-Key has been used for another request; take a new one for each',
    advice:
      'Make a new key, such as a UUID, for each thing to be done. Keep the key only for sending the very same request again.',
  },
} as const satisfies Record<string, ProblemKind>;
