import { Injectable } from '@nestjs/common';
import { Statements } from '../database/statements';
import type { EventStatus } from '../events/event.entity';
import { FIND_GATE, LIST_ATTENDEES, LIST_GATE_ATTENDEES, LIST_GATE_CHANGES } from './gate.statements';

/** An event as its gate needs it. */
export interface GateView {
  id: number;
  title: string;
  status: EventStatus;
  startTime: Date;
  endTime: Date;
  timezone: string;
  /** Whether the device that asks is one of its devices. */
  isKnown: boolean;
  /** From this transaction on there may be some that are not over. */
  openFrom: number;
  /** What the next transaction will be. */
  nextIs: number;
}

/** A ticket that is not what it was when it was sold. */
export interface GateChange {
  ticketId: number;
  changedIn: number;
  /** Whether it is let in, with the code of this generation. */
  isGood: boolean;
  generation: number;
}

/** A place in a list of tickets: the next one goes on behind it. */
export type TicketPosition = [orderId: number, ticketId: number];

interface CandidateRow {
  orderId: number;
  /** Null in a row that only says how far the page has looked. */
  ticketId: number | null;
  /** The last order that the page looked at; null where there are no others. */
  lastOrderId: number | null;
}

/** The attendee of a ticket, as devices get it. */
export interface GateAttendee {
  ticketId: number;
  typeName: string;
  name: string;
}

/** The same as the organizer gets it. */
export interface AttendeeView {
  orderId: number;
  ticketId: number;
  typeId: number;
  typeName: string;
  status: 'paid' | 'blocked';
  attendeeName: string | null;
  attendeeEmail: string | null;
  buyerName: string;
  buyerEmail: string | null;
  checkedInAt: Date | null;
  isInside: boolean;
}

/** A part of a list of tickets, and where the next one goes on, if there is any. */
export interface TicketSlice<Row> {
  rows: Row[];
  next?: TicketPosition;
}

@Injectable()
export class GateRepository {
  constructor(private readonly statements: Statements) {}

  async find(eventId: number, deviceId: number | null): Promise<GateView | undefined> {
    const [gate] = await this.statements.run<GateView>(FIND_GATE, [eventId, deviceId]);
    return gate;
  }

  /** From behind a change on. */
  async listChanges(
    eventId: number,
    [changedIn, ticketId]: readonly [number, number],
    limit: number,
  ): Promise<GateChange[]> {
    return await this.statements.list<GateChange>(LIST_GATE_CHANGES, [eventId, changedIn, ticketId, limit]);
  }

  /** In the order in which they were ordered; a slice may be short, even empty, where more follow. */
  async listGateAttendees(
    eventId: number,
    after: TicketPosition,
    limit: number,
  ): Promise<TicketSlice<GateAttendee & { orderId: number }>> {
    const values = [eventId, ...after, limit + 1];
    return sliceOf(
      await this.statements.list<(GateAttendee & { orderId: number }) | CandidateRow>(
        LIST_GATE_ATTENDEES,
        values,
      ),
      limit,
    );
  }

  /** Likewise. */
  async listAttendees(
    eventId: number,
    after: TicketPosition,
    limit: number,
  ): Promise<TicketSlice<AttendeeView>> {
    const values = [eventId, ...after, limit + 1];
    return sliceOf(await this.statements.list<AttendeeView | CandidateRow>(LIST_ATTENDEES, values), limit);
  }
}

function sliceOf<Row extends { orderId: number; ticketId: number }>(
  found: (Row | CandidateRow)[],
  limit: number,
): TicketSlice<Row> {
  const rows = found.slice(0, limit).filter((row): row is Row => row.ticketId !== null);
  const last = rows.at(-1);
  if (found.length > limit && last) return { rows, next: [last.orderId, last.ticketId] };
  const { lastOrderId } = (found[0] ?? { lastOrderId: null }) as CandidateRow;
  return { rows, ...(lastOrderId !== null && { next: [lastOrderId, Number.MAX_SAFE_INTEGER] }) };
}
