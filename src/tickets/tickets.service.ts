import { Injectable } from '@nestjs/common';
import { isId, pageOf, sortKeyOf, type Page, type PageQuery } from '../http/page';
import { Problem } from '../problems/problem';
import { MAX_ID } from '../http/fields';
import type { ReleaseTrigger } from '../telemetry/channels';
import type { Scope, Subject } from '../database/scope';
import type { KeyClaim } from '../idempotency/key-claim';
import { InventoryService, type HoldRequest, type ResolveRequest } from '../inventory/inventory.service';
import { WakeUpSender } from '../queue/wake-up-sender';
import { UsersService } from '../users/users.service';
import { TicketsRepository, type TicketView } from './tickets.repository';

@Injectable()
export class TicketsService {
  constructor(
    private readonly repository: TicketsRepository,
    private readonly inventory: InventoryService,
    private readonly users: UsersService,
    private readonly wakeUps: WakeUpSender,
  ) {}

  /**
   * Holds a place of the event for the user.
   *
   * @param more the request's `Idempotency-Key`, and the network that is counted
   * @throws {Problem} `user_not_found`, `event_not_found`, `event_not_published`, `event_ended`, `event_sold_out`,
   *   `hold_limit_reached`, `network_hold_limit_reached` or `hold_cool_down`
   */
  async reserve(
    subject: Subject,
    eventId: number,
    { claim, network }: Pick<HoldRequest, 'claim' | 'network'> = {},
  ): Promise<TicketView> {
    const ticket = await this.inventory.holdPlace({
      ...subject,
      eventId,
      ...(claim && { claim }),
      ...(network && { network }),
    });
    const expiresInMs = ticket.expiresAt.getTime() - ticket.createdAt.getTime();
    // Without waiting: a reservation does not depend on the queue.
    if (!claim?.replayOf) this.wakeUps.wakeAtExpiry(ticket.expiresAt, expiresInMs);
    return { ...ticket, expiresInMs };
  }

  /**
   * @throws {Problem} `ticket_not_found` or `ticket_not_payable`
   */
  async pay(ticketId: number, scope: Scope, claim?: KeyClaim): Promise<TicketView> {
    return await this.resolve({ ticketId, target: 'paid', scope, ...(claim && { claim }) });
  }

  /**
   * @throws {Problem} `ticket_not_found` or `ticket_not_cancellable`
   */
  async cancel(ticketId: number, scope: Scope, claim?: KeyClaim): Promise<TicketView> {
    return await this.resolve({ ticketId, target: 'cancelled', scope, ...(claim && { claim }) });
  }

  /**
   * @throws {Problem} `ticket_not_found`
   */
  async get(ticketId: number, scope: Scope): Promise<TicketView> {
    const ticket = await this.repository.findById(ticketId, scope);
    if (!ticket) throw new Problem('ticket_not_found');
    return ticket;
  }

  /**
   * The user's tickets, newest first.
   *
   * @throws {Problem} `user_not_found`
   */
  async listByUser(subject: Subject, query: PageQuery): Promise<Page<TicketView>> {
    const [before] = sortKeyOf<[number]>(query, isId) ?? [MAX_ID];
    const rows = await this.repository.listByUser(subject, before, query.limit + 1);
    if (rows.length === 0) await this.users.get(subject);
    return pageOf(rows, query, (ticket) => [ticket.id]);
  }

  /**
   * Ends every hold that is due; its seat is for sale again.
   *
   * @returns how many
   */
  async releaseDueHolds(trigger: ReleaseTrigger): Promise<number> {
    return await this.inventory.releaseDueHolds(trigger);
  }

  private async resolve(request: ResolveRequest): Promise<TicketView> {
    return { ...(await this.inventory.resolveHold(request)), expiresInMs: 0 };
  }
}
