import type { OrderStatus } from './order-status';

/** What a ticket may meet apart from its order: its money is given back, its place, or it may not enter. */
export const TICKET_FATES = ['refunded', 'void', 'blocked'] as const;

export type TicketFate = (typeof TICKET_FATES)[number];

/** `reserved` is the only state that ends by itself. */
export const TICKET_STATUSES = ['reserved', 'paid', 'expired', 'cancelled', ...TICKET_FATES] as const;

export type TicketStatus = (typeof TICKET_STATUSES)[number];

/** Of a ticket without a fate of its own. */
export const ticketStatusOf = (status: OrderStatus): TicketStatus =>
  status === 'held' ? 'reserved' : status;
