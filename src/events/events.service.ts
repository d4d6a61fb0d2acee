import { Injectable } from '@nestjs/common';
import { requireAdmin, type Caller } from '../auth/caller';
import { unauthenticated } from '../auth/unauthenticated';
import {
  cursorAfter,
  isId,
  isNumber,
  isTime,
  pageOf,
  sortKeyOf,
  sortKeyOfAny,
  type Page,
  type PageQuery,
} from '../http/page';
import { Settings } from '../config/settings';
import { invalid, Problem } from '../problems/problem';
import type { OrganizerScope, Subject } from '../database/scope';
import { violatedConstraint } from '../database/database-error';
import { Transactions } from '../database/transactions';
import { InventoryService } from '../inventory/inventory.service';
import { TicketTypesService, type TicketTypeFields } from '../ticket-types/ticket-types.service';
import { UsersService } from '../users/users.service';
import { EVENTS_ORGANIZER_FKEY } from './event.entity';
import { EventsRepository, type EventWithSeats, type ListedEvent, type NewEvent } from './events.repository';
import type { DistanceKey, EventFilter, EventKey, RankKey, TimeKey } from './events.statements';

@Injectable()
export class EventsService {
  constructor(
    private readonly repository: EventsRepository,
    private readonly inventory: InventoryService,
    private readonly ticketTypes: TicketTypesService,
    private readonly users: UsersService,
    private readonly transactions: Transactions,
    private readonly settings: Settings,
  ) {}

  /**
   * Creates an event together with its places and what it sells.
   *
   * @param organizer the caller
   * @param types left out: one that is free
   * @throws {Problem} `forbidden` where only admins create events; `unauthenticated` when the organizer's account is gone; 422
   *   with a pointer into `/ticket_types`
   */
  async create(
    event: NewEvent,
    capacity: number,
    organizer: Caller,
    types?: TicketTypeFields[],
  ): Promise<EventWithSeats> {
    if (this.settings.CREATE_EVENTS === 'organizers') requireAdmin(organizer, 'creates events');
    try {
      return await this.transactions.run(async () => {
        await this.users.get(organizer);
        const created = await this.repository.insert(event);
        await this.inventory.createQuota(created.id, 'event', capacity);
        await this.ticketTypes.createWithEvent(created.id, types);
        return { ...created, capacity, held: 0, sold: 0 };
      });
    } catch (error) {
      // An access token may outlive its account.
      throw isWithoutOrganizer(error) ? unauthenticated() : error;
    }
  }

  /**
   * @param scope whose drafts are seen
   * @throws {Problem} `event_not_found`
   */
  async get(id: number, scope: OrganizerScope): Promise<EventWithSeats> {
    const event = await this.repository.findById(id, scope);
    if (!event) throw new Problem('event_not_found');
    return event;
  }

  /** Whether a list of this organizer's events is their own: then it has their drafts and cancelled events, too. */
  async isOwnList(organizerId: number, scope: OrganizerScope): Promise<boolean> {
    if (scope.by === 'anyone') return true;
    return scope.userId === organizerId && (await this.users.isThere(scope));
  }

  /**
   * Takes an event out of all lists, or puts it back. It goes on selling tickets, and is shown by its id.
   *
   * @throws {Problem} `forbidden` unless an admin calls; `event_not_found`
   */
  async setListed(id: number, isListed: boolean, caller: Caller): Promise<EventWithSeats> {
    requireAdmin(caller, isListed ? 'lists events' : 'unlists events');
    await this.repository.setListed(id, isListed);
    return await this.get(id, { by: 'anyone' });
  }

  /**
   * Events that pass the filter, in its order. Where they are too many for it, behind the nearest or from the first on,
   * they come in the order of their start. A page may come short though more follow.
   */
  async list(filter: EventFilter, query: PageQuery): Promise<Page<ListedEvent>> {
    if (filter.words?.length === 0) return { rows: [] };
    switch (filter.sort) {
      case 'start_time':
        return await this.read(filter, sortKeyOf<TimeKey>(query, isTime, isId), query);
      case 'relevance':
        return await this.listRanked(filter, query);
      case 'distance':
        return filter.isOwn ? await this.listRanked(filter, query) : await this.listByDistance(filter, query);
    }
  }

  /** As many as can be put in order; where they are more, all in the order of their start. */
  private async listRanked(filter: EventFilter, query: PageQuery): Promise<Page<ListedEvent>> {
    const after =
      filter.sort === 'distance'
        ? sortKeyOfAny<[DistanceKey, TimeKey]>(query, [isNumber, isTime, isId], [isTime, isId])
        : sortKeyOfAny<[RankKey, TimeKey]>(query, [isNumber, isId], [isTime, isId]);
    if (after === undefined || isNumber(after[0])) {
      const page = await this.read(filter, after, query);
      if (!page.isMany) return page;
      if (after) throw invalid('/cursor', 'too many events have come since: start with the first page');
    }
    return await this.read(inOrderOfStart(filter), after, query);
  }

  private async listByDistance(filter: EventFilter, query: PageQuery): Promise<Page<ListedEvent>> {
    const after = sortKeyOfAny<[DistanceKey, [...TimeKey, ...DistanceKey]]>(
      query,
      [isNumber, isTime, isId],
      [isTime, isId, isNumber, isTime, isId],
    );
    if (after?.length === 5) {
      const [startTime, id, ...beyond] = after;
      return await this.read(inOrderOfStart(filter, beyond), [startTime, id], query);
    }
    const page = await this.read(filter, after, query);
    if (!page.isAtEnd || !after) return page;
    return await this.read(inOrderOfStart(filter, after), undefined, query);
  }

  /** @returns also whether it leads no farther in its order, though more may follow */
  private async read(filter: EventFilter, after: EventKey | undefined, query: PageQuery) {
    const { rows, found, rest, isMany } = await this.repository.list(filter, after, query.limit + 1);
    const sortKey = ({ key, endTime, id }: Pick<ListedEvent, 'key' | 'endTime' | 'id'>) => [
      key instanceof Date ? key.toISOString() : key,
      ...(filter.sort === 'distance' ? [endTime.toISOString()] : []),
      id,
      ...(filter.beyond ?? []),
    ];
    const page = pageOf(rows, query, sortKey, found);
    const next = page.next ?? (rest && cursorAfter(sortKey(rest), query));
    const isAtEnd = rows.length === 0 && rest !== undefined && !isLater(sortKey(rest), after);
    return { rows: page.rows, next, isMany, isAtEnd };
  }

  /**
   * Events within `radiusKm` of the user that have not ended, nearest first.
   *
   * @throws {Problem} `user_not_found` or `user_location_not_set`
   */
  async listForUser(
    subject: Subject,
    radiusKm: number,
    filter: Omit<EventFilter, 'near' | 'hasNotEnded' | 'sort'>,
    page: PageQuery,
  ): Promise<Page<ListedEvent>> {
    const { locationLatitude: latitude, locationLongitude: longitude } = await this.users.get(subject);
    // Zero is a place: the equator, and the meridian of Greenwich.
    if (latitude === null || longitude === null) throw new Problem('user_location_not_set');
    const near = { center: { latitude, longitude }, radiusKm };
    return await this.list({ ...filter, near, hasNotEnded: true, sort: 'distance' }, page);
  }
}

const isWithoutOrganizer = (error: unknown) =>
  violatedConstraint(error) === EVENTS_ORGANIZER_FKEY ||
  (error instanceof Problem && error.code === 'user_not_found');

const inOrderOfStart = (filter: EventFilter, beyond?: DistanceKey): EventFilter => ({
  ...filter,
  sort: 'start_time',
  isWide: true,
  beyond,
});

/** Compares sort keys part by part. */
function isLater(key: (string | number)[], than: (string | number)[] = []): boolean {
  const i = than.findIndex((part, at) => part !== key[at]);
  return than.length === 0 || (i >= 0 && (key[i] as string) > (than[i] as string));
}
