import type { ProblemKind } from './problem-kind';

/** Tickets and their holds. */
export const TICKETS_PROBLEMS = {
  ticket_not_found: {
    status: 404,
    title: 'Ticket not found',
    detail: 'Ticket not found',
    advice:
      'Check the id, and whose token you send: the ticket of another user looks as if it were not there.',
  },
  ticket_not_payable: {
    status: 409,
    title: 'Not payable',
    detail: 'Ticket already paid or expired',
    advice:
      'Read the ticket with `GET /tickets/{ticket_id}`. Where its status is `paid`, an earlier request paid it and all is well; otherwise reserve a new one.',
  },
  ticket_not_cancellable: {
    status: 409,
    title: 'Not cancellable',
    detail: 'Ticket already paid, expired or cancelled',
    advice:
      'Read the ticket with `GET /tickets/{ticket_id}`. Only one whose status is `reserved` can be given back.',
  },
  ticket_not_paid: {
    status: 409,
    title: 'Not paid',
    detail: 'Only a paid ticket has a code to be scanned, and a document',
    advice:
      'The `ticket_status` of this problem says what it is. Pay one that is `reserved`; there is no way back for the others.',
  },
  ticket_not_voidable: {
    status: 409,
    title: 'Not voidable',
    detail: 'Only a paid ticket can be taken back, once',
    advice:
      'The `ticket_status` of this problem says what it is. Cancel the order of one that is `reserved`; one that is ' +
      '`blocked` can be taken back once its dispute is lost.',
  },
  ticket_not_changeable: {
    status: 409,
    title: 'Not changeable',
    detail: 'Only a reserved or paid ticket can be handed on',
    advice:
      'The `ticket_status` of this problem says what it is; leave a ticket as it is that is good no more.',
  },
  hold_limit_reached: {
    status: 409,
    title: 'Hold limit reached',
    detail: 'This user holds as many unpaid tickets for this event as is allowed; pay or cancel one first',
    advice:
      "Pay or cancel one of the user's reserved tickets of this event; `GET /users/{user_id}/tickets` lists them.",
  },
  network_hold_limit_reached: {
    status: 409,
    title: 'Network hold limit reached',
    detail: 'People who share your network hold as many unpaid tickets for this event as is allowed together',
    advice:
      'Try again in a moment, with a new `Idempotency-Key`: a place of the network is free as soon as one of them pays or lets go. A back end that books for many people does so as an admin, who has no such limit.',
  },
  hold_cool_down: {
    status: 429,
    title: 'Hold cool-down',
    detail:
      'This user let too many unpaid tickets for this event expire or be cancelled; the Retry-After header says how ' +
      'many seconds to wait',
    advice:
      'Wait for as long as `Retry-After` says before this user reserves for this event again. Reserve only what will be paid.',
  },
} as const satisfies Record<string, ProblemKind>;
