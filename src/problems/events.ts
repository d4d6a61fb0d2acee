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
} as const satisfies Record<string, ProblemKind>;
