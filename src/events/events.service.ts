import { Injectable } from '@nestjs/common';
import { isDistance, isId, isTime, pageOf, sortKeyOf, type Page, type PageQuery } from '../common/page';
import { Problem } from '../common/problem';
import { InventoryService } from '../inventory/inventory.service';
import { UsersService } from '../users/users.service';
import {
  EventsRepository,
  type ChordKey,
  type EventFilter,
  type EventWithSeats,
  type NearbyEvent,
  type NewEvent,
  type StartKey,
} from './events.repository';

@Injectable()
export class EventsService {
  constructor(
    private readonly repository: EventsRepository,
    private readonly inventory: InventoryService,
    private readonly users: UsersService,
  ) {}

  /** Creates an event together with its seats. */
  async create(event: NewEvent, capacity: number): Promise<EventWithSeats> {
    return await this.repository.transaction(async (manager) => {
      const created = await this.repository.insert(manager, event);
      await this.inventory.open(manager, created.id, capacity);
      return { ...created, capacity, held: 0, sold: 0 };
    });
  }

  /** @throws {Problem} `event_not_found` */
  async get(id: number): Promise<EventWithSeats> {
    const event = await this.repository.findById(id);
    if (!event) throw new Problem('event_not_found');
    return event;
  }

  /** All events in the order of their start. */
  async list(filter: EventFilter, { limit, cursor }: PageQuery): Promise<Page<EventWithSeats>> {
    const after = cursor === undefined ? undefined : sortKeyOf<StartKey>(cursor, isTime, isId);
    const rows = await this.repository.listByStart(filter, after, limit + 1);
    return pageOf(rows, limit, (event) => [event.startTime.toISOString(), event.id]);
  }

  /**
   * Events within `radiusKm` of the user that have not ended, nearest first.
   *
   * @throws {Problem} `user_not_found` or `user_location_not_set`
   */
  async listNearby(
    userId: number,
    radiusKm: number,
    { limit, cursor }: PageQuery,
  ): Promise<Page<NearbyEvent>> {
    const after = cursor === undefined ? undefined : sortKeyOf<ChordKey>(cursor, isDistance, isId);
    const { locationLatitude: latitude, locationLongitude: longitude } = await this.users.get(userId);
    // Zero is a place: the equator, and the meridian of Greenwich.
    if (latitude === null || longitude === null) throw new Problem('user_location_not_set');
    const rows = await this.repository.listNearby({ latitude, longitude }, radiusKm, after, limit + 1);
    return pageOf(rows, limit, (event) => [event.chord, event.id]);
  }
}
