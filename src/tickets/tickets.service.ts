import { Injectable } from '@nestjs/common';
import { isId, pageOf, sortKeyOf, type Page, type PageQuery } from '../http/page';
import { Problem } from '../problems/problem';
import { MAX_ID } from '../http/fields';
import type { ReleaseTrigger } from '../telemetry/channels';
import { Settings } from '../config/settings';
import type { Scope, Subject } from '../database/scope';
import { Transactions } from '../database/transactions';
import { InventoryService } from '../inventory/inventory.service';
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
    private readonly transactions: Transactions,
    private readonly settings: Settings,
  ) {}

  /**
   * Holds a seat of the event for the user.
   *
   * @throws {Problem} `user_not_found`, `event_not_found`, `event_ended`, `event_sold_out`, `hold_limit_reached` or
   *   `hold_cool_down`
   */
  async reserve(subject: Subject, eventId: number): Promise<TicketView> {
    const ticket = await this.inventory.holdPlace({ ...subject, eventId });
    const expiresInMs = this.settings.HOLD_SECONDS * 1_000;
    // After the commit and without waiting: a reservation does not depend on the queue.
    this.transactions.afterCommit(() => this.wakeUps.wakeAtExpiry(ticket.expiresAt, expiresInMs));
    return { ...ticket, expiresInMs };
  }

  /**
   * @throws {Problem} `ticket_not_found` or `ticket_not_payable`
   */
  async pay(ticketId: number, scope: Scope): Promise<TicketView> {
    return { ...(await this.inventory.resolveHold({ ticketId, target: 'paid', scope })), expiresInMs: 0 };
  }

  /**
   * @throws {Problem} `ticket_not_found` or `ticket_not_cancellable`
   */
  async cancel(ticketId: number, scope: Scope): Promise<TicketView> {
    return {
      ...(await this.inventory.resolveHold({ ticketId, target: 'cancelled', scope })),
      expiresInMs: 0,
    };
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
}
