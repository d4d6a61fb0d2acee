import type { ProblemKind } from './problem-kind';

/** Tickets and their holds. */
export const TICKETS_PROBLEMS = {
  ticket_not_found: { status: 404, title: 'Ticket not found', detail: 'Ticket not found' },
  ticket_not_payable: { status: 409, title: 'Not payable', detail: 'Ticket already paid or expired' },
  ticket_not_cancellable: {
    status: 409,
    title: 'Not cancellable',
    detail: 'Ticket already paid, expired or cancelled',
  },
  hold_limit_reached: {
    status: 409,
    title: 'Hold limit reached',
    detail: 'This user holds as many unpaid tickets for this event as is allowed; pay or cancel one first',
  },
  hold_cool_down: {
    status: 429,
    title: 'Hold cool-down',
    detail:
      'This user let too many unpaid tickets for this event expire or be cancelled; the Retry-After header says how ' +
      'many seconds to wait',
  },
} as const satisfies Record<string, ProblemKind>;
