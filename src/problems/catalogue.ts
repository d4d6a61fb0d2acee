import { AUTH_PROBLEMS } from './auth';
import { EVENTS_PROBLEMS } from './events';
import { GATE_PROBLEMS } from './gate';
import { HTTP_PROBLEMS } from './http';
import { IDEMPOTENCY_PROBLEMS } from './idempotency';
import { ORDERS_PROBLEMS } from './orders';
import { PAYMENTS_PROBLEMS } from './payments';
import { RATE_LIMIT_PROBLEMS } from './rate-limit';
import { TICKET_TYPES_PROBLEMS } from './ticket-types';
import { TICKETS_PROBLEMS } from './tickets';
import { USERS_PROBLEMS } from './users';

/** The error catalogue: every `code` that an answer may carry, with its status and the sentence a person reads. */
export const PROBLEMS = {
  ...HTTP_PROBLEMS,
  ...AUTH_PROBLEMS,
  ...USERS_PROBLEMS,
  ...EVENTS_PROBLEMS,
  ...TICKET_TYPES_PROBLEMS,
  ...TICKETS_PROBLEMS,
  ...ORDERS_PROBLEMS,
  ...PAYMENTS_PROBLEMS,
  ...GATE_PROBLEMS,
  ...IDEMPOTENCY_PROBLEMS,
  ...RATE_LIMIT_PROBLEMS,
};

export type ProblemCode = keyof typeof PROBLEMS;
