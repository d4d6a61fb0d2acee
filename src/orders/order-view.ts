import type { Metadata } from '../http/metadata';
import type { HeldOrder, HoldRequest } from '../inventory/held-order';
import type { OrderStatus } from '../inventory/order-status';
import { ticketStatusOf, type TicketFate } from '../inventory/ticket-status';

/** A ticket as its order shows it. */
export interface OrderTicket {
  id: number;
  ticketTypeId: number;
  price: number;
  generation: number;
  fate: TicketFate | null;
  attendeeName: string | null;
  attendeeEmail: string | null;
}

/** An order as it is now, by the database's clock. */
export interface OrderView {
  id: number;
  userId: number;
  eventId: number;
  status: OrderStatus;
  createdAt: Date;
  expiresAt: Date;
  /** Milliseconds left to pay; 0 when there are none. */
  expiresInMs: number;
  paidAt: Date | null;
  total: number;
  discount: number;
  amountPaid: number;
  amountRefunded: number;
  currency: string | null;
  typeIds: number[];
  typeNames: (string | null)[];
  numbers: number[];
  unitPrices: number[] | null;
  contactName: string | null;
  contactEmail: string | null;
  metadata: Metadata | null;
  /** In the sequence of the items. */
  tickets: OrderTicket[];
}

/** The tickets of an order, each with what it is now. */
export const ticketsOf = (order: OrderView) =>
  order.tickets.map((ticket) => ({
    id: ticket.id,
    orderId: order.id,
    userId: order.userId,
    eventId: order.eventId,
    ticketTypeId: ticket.ticketTypeId,
    status: ticket.fate ?? ticketStatusOf(order.status),
    price: ticket.price,
    generation: ticket.generation,
    attendeeName: ticket.attendeeName,
    attendeeEmail: ticket.attendeeEmail,
    createdAt: order.createdAt,
    expiresAt: order.expiresAt,
    paidAt: order.paidAt,
    expiresInMs: order.expiresInMs,
  }));

/** An order that was just placed. Nothing is read for it: the statement and the request say all there is. */
export function viewOfPlaced(order: HeldOrder, request: HoldRequest): OrderView {
  const types = request.items.flatMap(({ quantity, attendees }, item) =>
    Array.from({ length: quantity }, (_, i) => ({ item, attendee: attendees?.[i] })),
  );
  return {
    id: order.id,
    userId: order.userId,
    eventId: order.eventId,
    status: order.status,
    createdAt: order.createdAt,
    expiresAt: order.expiresAt,
    expiresInMs: order.expiresAt.getTime() - order.createdAt.getTime(),
    paidAt: order.paidAt,
    total: order.total,
    discount: order.subtotal - order.total,
    amountPaid: 0,
    amountRefunded: 0,
    currency: order.currency,
    typeIds: order.typeIds,
    typeNames: order.typeNames,
    numbers: order.numbers,
    unitPrices: order.unitPrices,
    contactName: request.contact?.name ?? null,
    contactEmail: request.contact?.email ?? null,
    metadata: request.metadata ?? null,
    tickets: types.map(({ item, attendee }, i) => ({
      id: order.ticketIds[i] as number,
      ticketTypeId: order.typeIds[item] as number,
      price: order.prices?.[i] ?? (order.unitPrices[item] as number),
      generation: 0,
      fate: null,
      attendeeName: attendee?.name ?? null,
      attendeeEmail: attendee?.email ?? null,
    })),
  };
}
