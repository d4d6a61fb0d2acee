import { Injectable } from '@nestjs/common';
import type { OrderScope, OrganizerScope, Subject } from '../database/scope';
import { Transactions } from '../database/transactions';
import { EventAccessService } from '../event-access/event-access.service';
import { MAX_ID } from '../http/fields';
import { cursorAfter, isId, ofList, pageOf, sortKeyOf, type Page, type PageQuery } from '../http/page';
import type { KeyClaim } from '../idempotency/key-claim';
import type { HoldRequest } from '../inventory/held-order';
import { InventoryService } from '../inventory/inventory.service';
import { OrderChangesService } from '../inventory/order-changes.service';
import { OrderCodes } from '../inventory/order-codes';
import type { OrderStatus } from '../inventory/order-status';
import { Problem } from '../problems/problem';
import { WakeUpSender } from '../queue/wake-up-sender';
import { finder } from '../text/finder';
import { UsersService } from '../users/users.service';
import { viewOfPlaced, type OrderView } from './order-view';
import { OrdersRepository, type ExportedOrder, type Parties, type SearchedOrder } from './orders.repository';

/** Which orders of an event. */
export interface OrderFilter {
  status?: OrderStatus;
  q?: string;
}

/** Orders that a page looks at, whatever is searched for; it may come short, and the next one goes on. */
const CANDIDATES = 2_000;

@Injectable()
export class OrdersService {
  constructor(
    private readonly repository: OrdersRepository,
    private readonly inventory: InventoryService,
    private readonly changes: OrderChangesService,
    private readonly codes: OrderCodes,
    private readonly events: EventAccessService,
    private readonly users: UsersService,
    private readonly transactions: Transactions,
    private readonly wakeUps: WakeUpSender,
  ) {}

  /**
   * The order that a code in a path names, which there need not be.
   *
   * @throws {Problem} `order_not_found` where no order can have the code
   */
  idOf(code: string): number {
    const id = this.codes.idOf(code);
    if (id === undefined || id === 0) throw new Problem('order_not_found');
    return id;
  }

  /**
   * Holds all places that are asked for, or none.
   *
   * @throws {Problem} as `InventoryService.holdPlaces`
   */
  async place(request: HoldRequest): Promise<OrderView> {
    const order = viewOfPlaced(await this.inventory.holdPlaces(request), request);
    // Without waiting: an order does not depend on the queue.
    if (!request.claim?.replayOf) this.wakeUps.wakeAtExpiry(order.expiresAt, order.expiresInMs);
    return order;
  }

  /** @throws {Problem} `order_not_found` */
  async get(id: number, scope: OrderScope): Promise<OrderView> {
    const order = await this.repository.find(id, scope);
    if (!order) throw new Problem('order_not_found');
    return order;
  }

  /**
   * What the user is to the order.
   *
   * @throws {Problem} `order_not_found` where they are nothing to it
   */
  async partiesOf(id: number, subject: Subject): Promise<Parties> {
    const parties = await this.repository.findParties(id, subject);
    if (!parties || !(parties.isBuyer || parties.isOrganizer)) throw new Problem('order_not_found');
    return parties;
  }

  /** @throws {Problem} `order_not_found`, `order_not_cancellable` */
  async cancel(orderId: number, scope: OrderScope, claim?: KeyClaim): Promise<OrderView> {
    await this.inventory.resolveHold({ orderId, target: 'cancelled', scope, claim });
    const order = await this.get(orderId, scope);
    // It shows what may change, such as the name of a ticket type.
    claim?.keepOwnAnswer();
    return order;
  }

  /** @throws {Problem} `order_not_found`, `order_not_extendable` */
  async extend(orderId: number, scope: OrderScope): Promise<OrderView> {
    const { expiresAt, expiresInMs } = await this.changes.extendHold(orderId, scope);
    this.transactions.afterCommit(() => this.wakeUps.wakeAtExpiry(expiresAt, expiresInMs));
    return await this.get(orderId, scope);
  }

  /**
   * The user's orders, newest first.
   *
   * @throws {Problem} `user_not_found`
   */
  async listByUser(subject: Subject, query: PageQuery): Promise<Page<OrderView>> {
    const list = ofList(query, 'orders of a user', subject.userId);
    const [before] = sortKeyOf<[number]>(list, isId) ?? [MAX_ID];
    const rows = await this.repository.listByUser(subject, before, query.limit + 1);
    if (rows.length === 0) await this.users.get(subject);
    return pageOf(rows, list, ({ id }) => [id], rows[0]?.found);
  }

  /**
   * The event's orders that pass the filter, newest first. A page may come short though more follow.
   *
   * @throws {Problem} `event_not_found`, `forbidden`
   */
  async listByEvent(
    eventId: number,
    filter: OrderFilter,
    scope: OrganizerScope,
    query: PageQuery,
  ): Promise<Page<OrderView>> {
    await this.events.requireOrganizer(eventId, scope);
    const list = ofList(query, 'orders', eventId);
    const [before] = sortKeyOf<[number]>(list, isId) ?? [MAX_ID];
    const named = await this.findNamed(eventId, filter);
    if (named) return { rows: named.id < before ? [named] : [] };
    const isAny = filter.q === undefined && filter.status === undefined;
    const size = isAny ? query.limit + 1 : CANDIDATES;
    const candidates = await this.repository.search(eventId, before, size);
    const ids = candidates.filter(passes(filter)).map(({ id }) => id);
    const wanted = ids.slice(0, query.limit);
    const rows = wanted.length > 0 ? await this.repository.listByIds(wanted) : [];
    const last = rows.length < ids.length ? rows.at(-1) : candidates.at(-1);
    const isMore = rows.length < ids.length || candidates.length === size;
    return { rows, ...(isMore && last && { next: cursorAfter([last.id], list) }) };
  }

  /**
   * Some of the event's orders, newest first: those of the filter among the next `size`.
   *
   * @param before the last order of the page before; left out: there was none
   * @throws {Problem} `event_not_found`, `forbidden`
   */
  async export(
    eventId: number,
    filter: OrderFilter,
    scope: OrganizerScope,
    size: number,
    before?: number,
  ): Promise<{ rows: ExportedOrder[]; next?: number }> {
    if (before === undefined) {
      await this.events.requireOrganizer(eventId, scope);
      const named = await this.findNamed(eventId, filter);
      if (named) return { rows: await this.repository.export(eventId, named.id + 1, 1) };
    }
    const found = await this.repository.export(eventId, before ?? MAX_ID, size);
    const next = found.length === size ? found.at(-1)?.id : undefined;
    return { rows: found.filter(passes(filter)), ...(next !== undefined && { next }) };
  }

  /** Where the search is for the code of an order. */
  private async findNamed(eventId: number, { q, status }: OrderFilter): Promise<OrderView | undefined> {
    const id = q === undefined ? undefined : this.codes.idOf(q.trim());
    const order = id ? await this.repository.find(id, { by: 'anyone' }) : undefined;
    return order?.eventId === eventId && (status ?? order.status) === order.status ? order : undefined;
  }
}

function passes({ status, q }: OrderFilter): (order: SearchedOrder) => boolean {
  const finds = q === undefined ? undefined : finder(q);
  return (order) =>
    (status === undefined || order.status === status) &&
    (finds === undefined || [order.contactName, order.contactEmail, order.buyerEmail].some(finds));
}
