import { Injectable } from '@nestjs/common';
import type { OrganizerScope } from '../database/scope';
import { EventAccessService } from '../event-access/event-access.service';
import { cursorAfter, isId, ofList, sortKeyOf, type Page, type PageQuery } from '../http/page';
import { OrderCodes } from '../inventory/order-codes';
import { finder } from '../text/finder';
import { GateRepository, type AttendeeView, type TicketPosition } from './gate.repository';

/** Which attendees of an event. */
export interface AttendeeFilter {
  /** In a name or an e-mail address, or the code of the order. */
  q?: string;
  isCheckedIn?: boolean;
}

/** Tickets that a page looks at, whatever is searched for; it may come short, and the next one goes on. */
const LOOKED_AT = 2_000;

/** The attendees of an event, for its organizer. */
@Injectable()
export class AttendeesService {
  constructor(
    private readonly repository: GateRepository,
    private readonly access: EventAccessService,
    private readonly codes: OrderCodes,
  ) {}

  /**
   * The attendees that pass the filter, in the order of their orders. A page may come short though more follow.
   *
   * @throws {Problem} `event_not_found`, `forbidden`
   */
  async listByEvent(
    eventId: number,
    filter: AttendeeFilter,
    scope: OrganizerScope,
    query: PageQuery,
  ): Promise<Page<AttendeeView>> {
    await this.access.requireOrganizer(eventId, scope);
    const list = ofList(query, 'attendees', eventId);
    const after = sortKeyOf<TicketPosition>(list, isId, isId) ?? [0, 0];
    const isAny = filter.q === undefined && filter.isCheckedIn === undefined;
    const slice = await this.repository.listAttendees(eventId, after, isAny ? query.limit : LOOKED_AT);
    const passing = slice.rows.filter(this.passes(filter));
    const rows = passing.slice(0, query.limit);
    const last = rows.at(-1);
    const next: TicketPosition | undefined =
      passing.length > rows.length && last ? [last.orderId, last.ticketId] : slice.next;
    return { rows, ...(next && { next: cursorAfter(next, list) }) };
  }

  /**
   * Some of the attendees, in the order of their orders: those of the filter among the next `size` tickets.
   *
   * @param after the last ticket of the page before; left out: there was none
   * @throws {Problem} `event_not_found`, `forbidden`
   */
  async export(
    eventId: number,
    filter: AttendeeFilter,
    scope: OrganizerScope,
    size: number,
    after?: TicketPosition,
  ): Promise<{ rows: AttendeeView[]; next?: TicketPosition }> {
    if (after === undefined) await this.access.requireOrganizer(eventId, scope);
    const { rows, next } = await this.repository.listAttendees(eventId, after ?? [0, 0], size);
    return { rows: rows.filter(this.passes(filter)), ...(next && { next }) };
  }

  private passes({ q, isCheckedIn }: AttendeeFilter): (attendee: AttendeeView) => boolean {
    const orderId = q === undefined ? undefined : this.codes.idOf(q.trim());
    const finds = q === undefined ? undefined : finder(q);
    return (attendee) =>
      (isCheckedIn === undefined || (attendee.checkedInAt !== null) === isCheckedIn) &&
      (finds === undefined ||
        attendee.orderId === orderId ||
        [attendee.attendeeName, attendee.attendeeEmail, attendee.buyerName, attendee.buyerEmail].some(finds));
  }
}
