import { Injectable } from '@nestjs/common';
import type { OrganizerScope } from '../database/scope';
import { Transactions } from '../database/transactions';
import { isId, ofList, pageOf, sortKeyOf, type Page, type PageQuery } from '../http/page';
import { InventoryService } from '../inventory/inventory.service';
import { invalid, Problem } from '../problems/problem';
import { EventAccessService } from '../event-access/event-access.service';
import { QuotasRepository, type QuotaView } from './quotas.repository';

const MOST_QUOTAS = 100;

export interface QuotaFields {
  name: string;
  capacity: number;
}

/**
 * Counters of places that ticket types draw on beside that of their event. One with a name is made by the organizer, to be
 * shared; one without is a type's own, and goes with it.
 */
@Injectable()
export class QuotasService {
  constructor(
    private readonly repository: QuotasRepository,
    private readonly inventory: InventoryService,
    private readonly access: EventAccessService,
    private readonly transactions: Transactions,
  ) {}

  /** @throws {Problem} `event_not_found`, `forbidden`, `too_many_in_event` */
  async create(eventId: number, { name, capacity }: QuotaFields, scope: OrganizerScope): Promise<QuotaView> {
    return await this.transactions.run(async () => {
      await this.access.lock(eventId, scope);
      const id = await this.insert(eventId, capacity, name);
      return { id, eventId, name, capacity, held: 0, sold: 0 };
    });
  }

  /** @throws {Problem} `event_not_found`, `forbidden` */
  async listByEvent(eventId: number, scope: OrganizerScope, query: PageQuery): Promise<Page<QuotaView>> {
    await this.access.requireOrganizer(eventId, scope);
    const list = ofList(query, 'quotas', eventId);
    const [after] = sortKeyOf<[id: number]>(list, isId) ?? [0];
    const rows = await this.repository.listByEvent(eventId, after, query.limit + 1);
    return pageOf(rows, list, ({ id }) => [id]);
  }

  /** @throws {Problem} `quota_not_found` */
  async get(id: number, scope: OrganizerScope): Promise<QuotaView> {
    const eventId = await this.repository.findEventId(id, scope);
    const quota = eventId === undefined ? undefined : await this.repository.find(eventId, id);
    if (!quota) throw new Problem('quota_not_found');
    return quota;
  }

  /** @throws {Problem} `quota_not_found`, `capacity_in_use` */
  async update(id: number, changes: Partial<QuotaFields>, scope: OrganizerScope): Promise<QuotaView> {
    return await this.transactions.run(async () => {
      const eventId = await this.repository.lockEvent(id, scope);
      if (eventId === undefined) throw new Problem('quota_not_found');
      await this.inventory.changeQuota(id, changes);
      const quota = await this.repository.find(eventId, id);
      // The type whose own it was draws on another one since.
      if (!quota) throw new Problem('quota_not_found');
      return quota;
    });
  }

  /**
   * Makes the quota of one ticket type, in the transaction that has its event locked.
   *
   * @returns its id
   * @throws {Problem} `too_many_in_event`
   */
  async createOwn(eventId: number, capacity: number): Promise<number> {
    return await this.insert(eventId, capacity, '');
  }

  /**
   * @param at where the id stands in the body
   * @returns the id
   * @throws {Problem} 422 where the event has no such quota
   */
  async share(eventId: number, id: number, at: string): Promise<number> {
    if (!(await this.repository.find(eventId, id))) throw invalid(at, 'is no quota of this event');
    return id;
  }

  private async insert(eventId: number, capacity: number, name: string): Promise<number> {
    if ((await this.repository.count(eventId)) >= MOST_QUOTAS) throw new Problem('too_many_in_event');
    return await this.inventory.createQuota(eventId, 'type', capacity, name);
  }
}
