import type { ProblemKind } from './problem-kind';

/** Orders: what is asked for, and what becomes of it. */
export const ORDERS_PROBLEMS = {
  ticket_type_required: {
    status: 422,
    title: 'Ticket type required',
    detail: 'This event has several ticket types: say which',
    advice: 'Send `ticket_type_id`; `GET /events/{event_id}/ticket-types` lists them.',
  },
  ticket_type_not_found: {
    status: 404,
    title: 'Ticket type not found',
    detail: 'Ticket type not found',
    advice:
      'Check the id against `GET /events/{event_id}/ticket-types`. A hidden type is there only for those who send its code.',
  },
  ticket_type_not_on_sale: {
    status: 409,
    title: 'Ticket type is not on sale',
    detail: 'Tickets of this type are not on sale now',
    advice: 'Its `sales_from` and `sales_until` say when they are.',
  },
  ticket_type_sold_out: {
    status: 409,
    title: 'Ticket type is sold out',
    detail: 'There are not so many places of this type',
    advice: 'Ask for fewer, or for another type. Held places may come back when their holds end.',
  },
  code_not_valid: {
    status: 422,
    title: 'Code is not valid',
    detail: 'This code is not valid for this event now',
    advice: 'Check how it is spelled, and whether it is valid yet or still; or order without it.',
  },
  code_used_up: {
    status: 409,
    title: 'Code is used up',
    detail: 'This code has been used as often as it may be',
    advice: 'Order without it. A use comes back when the order that holds it ends unpaid.',
  },
  ticket_limit_reached: {
    status: 409,
    title: 'Ticket limit reached',
    detail: 'This user would have more tickets for this event than it allows',
    advice: 'The event says `max_tickets_per_user`: held and paid tickets count together.',
  },
  order_not_found: {
    status: 404,
    title: 'Order not found',
    detail: 'Order not found',
    advice:
      'Check the code, and whose token you send: the order of another user looks as if it were not there.',
  },
  order_not_payable: {
    status: 409,
    title: 'Not payable',
    detail: 'Order already paid or ended, or with a price that only its organizer can take',
    advice:
      'The `order_status` of this problem says what it is. `paid`: an earlier request paid it and all is well. `held`: no payment provider is set up, so its organizer takes the money and sends `"offline": true`. Otherwise place a new order.',
  },
  cancellation_not_found: {
    status: 404,
    title: 'Not cancelled',
    detail: 'This event has not been cancelled',
    advice: 'Use `POST /events/{event_id}/cancel` to cancel it.',
  },
  order_without_tickets: {
    status: 409,
    title: 'No tickets',
    detail: 'None of the tickets of this order is paid and good',
    advice: 'Pay the order first; `GET /orders/{code}` says what became of its tickets.',
  },
  document_too_slow: {
    status: 503,
    title: 'Document too slow',
    detail:
      'The tickets of this order could not be drawn together in the time that a request has; ask for the PDF of each ' +
      'ticket by itself',
    advice:
      'Get the PDF of each ticket from `GET /tickets/{ticket_id}.pdf`, one after the other; `GET /orders/{code}` lists them. Or try once more in a quieter moment.',
  },
  order_not_cancellable: {
    status: 409,
    title: 'Not cancellable',
    detail: 'Order already paid or ended',
    advice: 'Only an order whose status is `held` can be cancelled.',
  },
  order_not_extendable: {
    status: 409,
    title: 'Not extendable',
    detail: 'Order ended or extended before',
    advice: 'A hold is extended once, while it lasts. Pay, or place a new order.',
  },
  part_of_an_order: {
    status: 409,
    title: 'Part of an order',
    detail: 'This ticket is one of several in an order: pay or cancel the order',
    advice: 'Use `POST /orders/{order_code}/payments` or `/cancel` with the `order_code` of this problem.',
  },
  payment_required: {
    status: 402,
    title: 'Payment required',
    detail: 'This ticket has a price: pay its order',
    advice: 'Use `POST /orders/{order_code}/payments` with the `order_code` of this problem.',
  },
} as const satisfies Record<string, ProblemKind>;
