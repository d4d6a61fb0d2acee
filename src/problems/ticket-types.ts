import type { ProblemKind } from './problem-kind';

/** What an organizer sells: ticket types, quotas and codes. */
export const TICKET_TYPES_PROBLEMS = {
  capacity_in_use: {
    status: 409,
    title: 'Capacity in use',
    detail: 'More is held and sold than that; `held` and `sold` say how much',
    advice: 'Ask for a capacity of at least `held` and `sold` together, or try again when holds have ended.',
  },
  quota_not_found: {
    status: 404,
    title: 'Quota not found',
    detail: 'Quota not found',
    advice:
      "Check the id against `GET /events/{event_id}/quotas`, and whose token you send: it is the organizer's.",
  },
  code_not_found: {
    status: 404,
    title: 'Code not found',
    detail: 'Code not found',
    advice:
      "Check the id against `GET /events/{event_id}/codes`, and whose token you send: it is the organizer's.",
  },
  code_taken: {
    status: 409,
    title: 'Code taken',
    detail: 'This event has this code already, perhaps in letters of another case',
    advice: 'Choose another one, or change the one that `GET /events/{event_id}/codes` lists.',
  },
  ticket_type_has_tickets: {
    status: 409,
    title: 'Ticket type has tickets',
    detail: 'The quota of a ticket type stays as it is once the type has tickets, or its event 10,000 orders',
    advice:
      'Delete the ticket type, which leaves its tickets good, and make another one with the quota that it shall have.',
  },
  too_many_in_event: {
    status: 409,
    title: 'Too many in an event',
    detail:
      'An event has at most 100 ticket types, 100 quotas and 1,000 codes, and this one has as many, or too many that were deleted',
    advice:
      'Delete ticket types or codes that you no longer need. Those that were deleted count only in the end: with them an event has at most 1,000 ticket types, and 5,000 quotas and codes.',
  },
} as const satisfies Record<string, ProblemKind>;
