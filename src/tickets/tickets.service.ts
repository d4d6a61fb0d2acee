import { Injectable } from '@nestjs/common';
import { isId, ofList, pageOf, sortKeyOf, type Page, type PageQuery } from '../http/page';
import { Problem } from '../problems/problem';
import { MAX_ID } from '../http/fields';
import type { ReleaseTrigger } from '../telemetry/channels';
import type { OrderScope, OrganizerScope, Scope, Subject } from '../database/scope';
import type { KeyClaim } from '../idempotency/key-claim';
import type { HoldRequest, ResolveRequest } from '../inventory/held-order';
import { InventoryService } from '../inventory/inventory.service';
import { OrderChangesService } from '../inventory/order-changes.service';
import { ticketStatusOf } from '../inventory/ticket-status';
import { WakeUpSender } from '../queue/wake-up-sender';
import { UsersService } from '../users/users.service';
import { TicketsRepository, type NewAttendee, type TicketKey, type TicketView } from './tickets.repository';

@Injectable()
export class TicketsService {
  constructor(
    private readonly repository: TicketsRepository,
    private readonly inventory: InventoryService,
    private readonly changes: OrderChangesService,
    private readonly users: UsersService,
    private readonly wakeUps: WakeUpSender,
  ) {}

  /**
   * Holds a place of the event for the user: an order of one.
   *
   * @param ticketTypeId null: the event's only visible type
   * @param more the request's `Idempotency-Key`, and the network that is counted
   * @throws {Problem} as `InventoryService.holdPlaces`
   */
  async reserve(
    { userId, issuedAt }: Subject,
    eventId: number,
    ticketTypeId: number | null,
    { claim, network }: Pick<HoldRequest, 'claim' | 'network'> = {},
  ): Promise<TicketView> {
    const items = [{ ticketTypeId, quantity: 1 }];
    const order = await this.inventory.holdPlaces({
      userId,
      issuedAt,
      eventId,
      items,
      isTicket: true,
      claim,
      network,
    });
    const expiresInMs = order.expiresAt.getTime() - order.createdAt.getTime();
    // Without waiting: a reservation does not depend on the queue.
    if (!claim?.replayOf) this.wakeUps.wakeAtExpiry(order.expiresAt, expiresInMs);
    return {
      id: order.ticketIds[0] as number,
      orderId: order.id,
      userId: order.userId,
      eventId: order.eventId,
      ticketTypeId: order.typeIds[0] as number,
      status: ticketStatusOf(order.status),
      price: order.total,
      generation: 0,
      attendeeName: null,
      attendeeEmail: null,
      createdAt: order.createdAt,
      expiresAt: order.expiresAt,
      paidAt: order.paidAt,
      expiresInMs,
    };
  }

  /**
   * @throws {Problem} `ticket_not_found`, `ticket_not_payable`, `part_of_an_order` or `payment_required`
   */
  async pay(ticketId: number, scope: Scope, claim?: KeyClaim): Promise<TicketView> {
    return await this.resolve({ orderId: null, ticketId, target: 'paid', scope, claim });
  }

  /**
   * @throws {Problem} `ticket_not_found`, `ticket_not_cancellable` or `part_of_an_order`
   */
  async cancel(ticketId: number, scope: Scope, claim?: KeyClaim): Promise<TicketView> {
    return await this.resolve({ orderId: null, ticketId, target: 'cancelled', scope, claim });
  }

  /**
   * @throws {Problem} `ticket_not_found`
   */
  async get(ticketId: number, scope: OrderScope): Promise<TicketView> {
    const ticket = await this.repository.findById(ticketId, scope);
    if (!ticket) throw new Problem('ticket_not_found');
    return ticket;
  }

  /**
   * Names who comes with a ticket, or hands it on.
   *
   * @throws {Problem} `ticket_not_found`, `ticket_not_changeable`; `forbidden` to the organizer of its event
   */
  async handOn(ticketId: number, attendee: NewAttendee, scope: Scope): Promise<TicketView> {
    const outcome = await this.repository.handOn(ticketId, scope, attendee);
    if (!outcome || !(outcome.isBuyers || outcome.isOrganizers)) throw new Problem('ticket_not_found');
    if (!outcome.isBuyers) throw new Problem('forbidden');
    const ticket = await this.get(ticketId, scope);
    if (!outcome.isChanged)
      throw new Problem('ticket_not_changeable', { members: { ticket_status: ticket.status } });
    return ticket;
  }

  /**
   * Takes a paid ticket back, and gives its place back.
   *
   * @param claim the request's `Idempotency-Key`
   * @throws {Problem} as `OrderChangesService.voidTicket`
   */
  async void(ticketId: number, scope: OrganizerScope, claim?: KeyClaim): Promise<TicketView> {
    return { ...(await this.changes.voidTicket(ticketId, scope, claim)), expiresInMs: 0, generation: 0 };
  }

  /**
   * The user's tickets, newest first.
   *
   * @throws {Problem} `user_not_found`
   */
  async listByUser(subject: Subject, query: PageQuery): Promise<Page<TicketView>> {
    const list = ofList(query, 'tickets', subject.userId);
    const before = sortKeyOf<TicketKey>(list, isId, isId) ?? [MAX_ID, MAX_ID];
    const rows = await this.repository.listByUser(subject, before, query.limit + 1);
    if (rows.length === 0) await this.users.get(subject);
    return pageOf(rows, list, ({ orderId, id }) => [orderId, id]);
  }

  /**
   * Ends every hold that is due; its seat is for sale again.
   *
   * @returns how many
   */
  async releaseDueHolds(trigger: ReleaseTrigger): Promise<number> {
    return await this.inventory.releaseDueHolds(trigger);
  }

  private async resolve(request: ResolveRequest & { orderId: null }): Promise<TicketView> {
    const order = await this.inventory.resolveHold(request);
    return {
      id: request.ticketId,
      orderId: order.id,
      userId: order.userId,
      eventId: order.eventId,
      ticketTypeId: order.typeId,
      status: ticketStatusOf(order.status),
      price: order.total,
      generation: 0,
      attendeeName: order.attendee?.name ?? null,
      attendeeEmail: order.attendee?.email ?? null,
      createdAt: order.createdAt,
      expiresAt: order.expiresAt,
      paidAt: order.paidAt,
      expiresInMs: 0,
    };
  }
}
