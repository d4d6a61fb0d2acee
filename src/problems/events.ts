import type { ProblemKind } from './problem-kind';

/** Events. */
export const EVENTS_PROBLEMS = {
  event_not_found: {
    status: 404,
    title: 'Event not found',
    detail: 'Event not found',
    advice: 'Check the id. Take ids from `GET /events` or from the `Location` of what you created.',
  },
  event_changed: {
    status: 412,
    title: 'Event changed',
    detail: 'The event was changed since the answer whose ETag is sent as If-Match',
    advice:
      'Read the event with `GET /events/{event_id}`, show what is different, and send the change again with the new `ETag`.',
  },
  event_status_fixed: {
    status: 409,
    title: 'Status fixed',
    detail: 'A published event does not become a draft again, and a cancelled one stays cancelled',
    advice: 'Leave `status` out. Only a draft has another one to come: `published`.',
  },
  currency_fixed: {
    status: 409,
    title: 'Currency fixed',
    detail: 'The currency of the event is fixed: a ticket of it was made',
    advice: 'Leave `currency` out. For sales in another one create another event.',
  },
  event_has_orders: {
    status: 409,
    title: 'Event has orders',
    detail: 'A ticket of the event was made, so that it can not be deleted',
    advice: 'Keep the event: tickets, also those that ended, refer to it.',
  },
  event_not_published: {
    status: 409,
    title: 'Not published',
    detail: 'Event is a draft or cancelled',
    advice:
      'Nothing can be reserved for a draft or a cancelled event. Publish a draft first; of a cancelled one show no places. ' +
      'A draft is not cancelled, but deleted.',
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
