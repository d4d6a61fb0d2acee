import { Injectable } from '@nestjs/common';
import { unauthenticated } from '../auth/refusals';
import { isId, isNumber, isTime, pageOf, sortKeyOf, type Page, type PageQuery } from '../http/page';
import { Problem } from '../problems/problem';
import type { Subject } from '../database/scope';
import { violatedConstraint } from '../database/database-error';
import { Transactions } from '../database/transactions';
import { InventoryService } from '../inventory/inventory.service';
import { UsersService } from '../users/users.service';
import { EVENTS_ORGANIZER_FKEY } from './event.entity';
import { EventsRepository, type EventWithSeats, type ListedEvent, type NewEvent } from './events.repository';
import type { EventFilter, EventKey } from './events.statements';

@Injectable()
export class EventsService {
  constructor(
    private readonly repository: EventsRepository,
    private readonly inventory: InventoryService,
    private readonly users: UsersService,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Creates an event together with its seats.
   *
   * @param organizer the caller
   * @throws {Problem} `unauthenticated` when the organizer's account is gone
   */
  async create(event: NewEvent, capacity: number, organizer: Subject): Promise<EventWithSeats> {
    try {
      return await this.transactions.run(async () => {
        await this.users.get(organizer);
        const created = await this.repository.insert(event);
        await this.inventory.createQuota(created.id, capacity);
        return { ...created, capacity, held: 0, sold: 0 };
      });
    } catch (error) {
      // An access token may outlive its account.
      throw isWithoutOrganizer(error) ? unauthenticated() : error;
    }
  }

  /** @throws {Problem} `event_not_found` */
  async get(id: number): Promise<EventWithSeats> {
    const event = await this.repository.findById(id);
    if (!event) throw new Problem('event_not_found');
    return event;
  }

  /** Events that pass the filter, in its order. */
  async list(filter: EventFilter, query: PageQuery): Promise<Page<ListedEvent>> {
    if (filter.words?.length === 0) return { rows: [] };
    const isKey = filter.sort === 'start_time' ? isTime : isNumber;
    const after = sortKeyOf<EventKey>(query, isKey, isId);
    const rows = await this.repository.list(filter, after, query.limit + 1);
    const sortKey = ({ key, id }: ListedEvent) => [key instanceof Date ? key.toISOString() : key, id];
    return pageOf(rows, query, sortKey, rows[0]?.found);
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
