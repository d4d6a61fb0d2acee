/** What may become of a ticket: `reserved` is the only state that ends by itself, the others are final. */
export const TICKET_STATUSES = ['reserved', 'paid', 'expired', 'cancelled'] as const;

export type TicketStatus = (typeof TICKET_STATUSES)[number];
