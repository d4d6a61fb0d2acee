import type { ProblemKind } from './problem-kind';

/** Events. */
export const EVENTS_PROBLEMS = {
  event_not_found: { status: 404, title: 'Event not found', detail: 'Event not found' },
  event_ended: { status: 409, title: 'Event ended', detail: 'Event has ended' },
  event_sold_out: { status: 409, title: 'Sold out', detail: 'Event is sold out' },
} as const satisfies Record<string, ProblemKind>;
