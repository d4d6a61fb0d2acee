import type { ProblemKind } from './problem-kind';

/** Events. */
export const EVENTS_PROBLEMS = {
  event_not_found: {
    status: 404,
    title: 'Event not found',
    detail: 'Event not found',
    advice: 'Check the id. Take ids from `GET /events` or from the `Location` of what you created.',
  },
  event_ended: {
    status: 409,
    title: 'Event ended',
    detail: 'Event has ended',
    advice: 'Nothing can be reserved after the end of an event. Show another one.',
  },
  event_sold_out: {
    status: 409,
    title: 'Sold out',
    detail: 'Event is sold out',
    advice:
      'Places come back when holds end unpaid. Show the event as sold out, and look at `tickets_available` of `GET /events/{event_id}` before trying again.',
  },
  event_limit_reached: {
    status: 429,
    title: 'Event limit reached',
    detail:
      'This account creates more events in an hour than is allowed; the Retry-After header says how many seconds to wait',
    advice:
      'Wait for as long as `Retry-After` says. The quota `events` in the `RateLimit` header tells how many events are left. An admin has no such limit.',
  },
} as const satisfies Record<string, ProblemKind>;
