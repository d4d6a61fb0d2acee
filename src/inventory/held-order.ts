import type { KeyClaim } from '../idempotency/key-claim';
import type { OrderScope, Subject } from '../database/scope';
import type { Network } from '../http/network';
import type { Since } from './due-scan-cursor';
import type { OrderStatus } from './order-status';
import type { TicketFate } from './ticket-status';

export interface Attendee {
  name: string;
  email?: string | null;
}

/** How many tickets of one type; without an id: of the event's only visible type. */
export interface OrderItem {
  ticketTypeId: number | null;
  quantity: number;
  /** Of the first of the tickets, in their order. */
  attendees?: Attendee[];
}

export interface HoldRequest extends Subject {
  eventId: number;
  items: OrderItem[];
  /** Made of a request for one ticket, which has no items to point at. */
  isTicket?: true;
  /** In its normal form, see `codeKey`. */
  code?: string;
  contact?: { name: string; email: string };
  metadata?: Record<string, string>;
  /** Since when the holds of the event are to be looked at for due ones. */
  dueSince?: Since;
  /** Where it comes from; left out where that is not counted, as for a trusted back end. */
  network?: Network;
  /** Left out where the request has no `Idempotency-Key`. */
  claim?: KeyClaim;
}

/** An order as the statement that placed it returns it. */
export interface HeldOrder {
  id: number;
  userId: number;
  eventId: number;
  status: OrderStatus;
  createdAt: Date;
  expiresAt: Date;
  paidAt: Date | null;
  places: number;
  /** In the minor unit of the currency, before the discount and after it. */
  subtotal: number;
  total: number;
  currency: string | null;
  /** Of each item: its ticket type and what that is called, its number and price. */
  typeIds: number[];
  typeNames: string[];
  numbers: number[];
  unitPrices: number[];
  /** In the order of the items. */
  ticketIds: number[];
  /** What each of the tickets costs; null where there is no discount. */
  prices: number[] | null;
}

export type HoldRefusal =
  | 'user_not_found'
  | 'event_not_found'
  | 'event_not_published'
  | 'event_ended'
  | 'event_sold_out'
  | 'ticket_type_required'
  | 'ticket_type_not_found'
  | 'quantity_not_allowed'
  | 'ticket_type_not_on_sale'
  | 'ticket_type_sold_out'
  | 'code_not_valid'
  | 'code_used_up'
  | 'order_too_large'
  | 'ticket_limit_reached'
  | 'hold_limit_reached'
  | 'network_hold_limit_reached'
  | 'hold_cool_down'
  /** The quotas are no longer those that were asked of: to be asked again, and never told to a client. */
  | 'outdated';

/** Refusals that a hold which ends may turn. */
export const PASSING_REFUSALS = [
  'event_sold_out',
  'ticket_type_sold_out',
  'code_used_up',
] as const satisfies HoldRefusal[];

export const isPassing = (refusal: HoldRefusal | null): boolean =>
  PASSING_REFUSALS.some((passing) => passing === refusal);

export type HoldAnswer = HeldOrder & {
  refusal: HoldRefusal | null;
  /** The item that is to blame, counted from 0. */
  itemAt: number | null;
  /** How many tickets an order may have of the type of that item. */
  least: number | null;
  most: number | null;
  /** Seconds until a `hold_cool_down` ends. */
  retryAfter: number | null;
  /**
   * The places were not free at that time, and no hold of the event was due, in milliseconds since 1970 by the database's
   * clock.
   */
  noneDueAt: number | null;
};

/** An order by its id, or by that of its only ticket. */
export type OrderName = { orderId: number; ticketId?: undefined } | { orderId: null; ticketId: number };

/** `none`: costs nothing, and a payment is to be kept all the same; `offline`: cash or bank. */
export type Tender = 'none' | 'offline';

export type ResolveRequest = OrderName & {
  target: 'paid' | 'cancelled';
  scope: OrderScope;
  /** Left out where only an order that costs nothing is to be paid. */
  tender?: Tender;
  reference?: string;
  /** Left out where the request has no `Idempotency-Key`. */
  claim?: KeyClaim;
};

export interface ResolvedOrder {
  id: number;
  /** Where the order was named by it. */
  ticketId: number | null;
  userId: number;
  eventId: number;
  status: OrderStatus;
  createdAt: Date;
  expiresAt: Date;
  paidAt: Date | null;
  places: number;
  total: number;
  currency: string | null;
  paymentId: number | null;
  /** Of the first ticket. */
  typeId: number;
  attendee: Attendee | null;
  /** Of the ticket, where the order was named by it. */
  fate: TicketFate | null;
}

/**
 * `isChanged`: by this request; `isPaying`: a payment is open; `stuckEventId`: the order is left as it is, because the counters of its event are locked;
 * `id` is null where there is no such order within the scope.
 */
export type ResolveAnswer = { isChanged: boolean; isPaying: boolean; stuckEventId: number | null } & (
  ResolvedOrder | { id: null }
);
