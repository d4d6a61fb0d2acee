import type { EventStatus } from '../events/event.entity';
import type { OrderStatus } from '../inventory/order-status';
import type { TicketFate } from '../inventory/ticket-status';
import type { ScanRequest } from './scan';
import type { ScanResult } from './scan-result';

/** A ticket, as a scan finds it. */
export interface ScannedTicket {
  id: number;
  eventId: number;
  eventStatus: EventStatus;
  status: OrderStatus;
  fate: TicketFate | null;
  generation: number;
}

/** What let a ticket in (an even passage) or out (an odd one). */
export interface Passage {
  id: number;
  passage: number;
  scannedAt: Date;
  deviceId: number | null;
  deviceName: string | null;
  userId: number | null;
}

export interface Decision {
  result: ScanResult;
  /** Its number, where the ticket goes in or out. */
  passage: number | null;
}

/**
 * What a scan comes to.
 *
 * @param last the passage of the ticket before this
 */
export function decide(request: ScanRequest, ticket: ScannedTicket | null, last: Passage | null): Decision {
  const standing = standingOf(request, ticket);
  const isIn = last !== null && last.passage % 2 === 0;
  const next = last === null ? 0 : last.passage + 1;
  if (standing === 'not_valid' || standing === 'wrong_event') return { result: standing, passage: null };
  // Somebody who is inside may go, whatever became of the ticket meanwhile.
  if (request.kind === 'exit') {
    return isIn ? { result: 'left', passage: next } : { result: standing ?? 'left', passage: null };
  }
  if (standing !== null) return { result: standing, passage: null };
  if (!isIn) return { result: 'admitted', passage: next };
  const isOther = last.deviceId !== request.deviceId || last.userId !== request.userId;
  return { result: request.isLate && isOther ? 'conflict' : 'already_in', passage: null };
}

/** What keeps the ticket out; null: nothing. */
function standingOf({ eventId, generation }: ScanRequest, ticket: ScannedTicket | null): ScanResult | null {
  if (ticket === null) return 'not_valid';
  if (ticket.eventId !== eventId) return 'wrong_event';
  if (ticket.eventStatus === 'cancelled' || ticket.status === 'refunded') return 'void';
  if (ticket.fate === 'blocked') return 'blocked';
  if (ticket.fate !== null || (generation !== null && generation !== ticket.generation)) return 'void';
  return ticket.status === 'paid' ? null : 'not_paid';
}
