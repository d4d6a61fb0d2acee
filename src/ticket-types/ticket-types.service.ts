import { Injectable } from '@nestjs/common';
import { Settings } from '../config/settings';
import type { OrganizerScope } from '../database/scope';
import { Transactions } from '../database/transactions';
import { isId, ofList, pageOf, sortKeyOf, type Page, type PageQuery } from '../http/page';
import { InventoryService } from '../inventory/inventory.service';
import { invalid, Problem } from '../problems/problem';
import { EventAccessService, type LockedEvent } from '../event-access/event-access.service';
import { QuotasService } from './quotas.service';
import {
  TicketTypesRepository,
  type LockedTicketType,
  type NewTicketType,
  type TicketTypeKey,
  type TicketTypeView,
} from './ticket-types.repository';

/** Of an event that is made without types. */
const ONLY_TYPE: TicketTypeFields = {
  name: 'Ticket',
  description: '',
  price: 0,
  salesFrom: null,
  salesUntil: null,
  minPerOrder: 1,
  maxPerOrder: 10,
  isHidden: false,
  position: 0,
};

const MOST_TYPES = 100;
/** Together with those that are archived, whose rows stay. */
const MOST_TYPES_EVER = 1_000;

/** Before all types of a list. */
const START: TicketTypeKey = [-1, 0];

export type TicketTypeFields = Omit<NewTicketType, 'eventId' | 'quotaIds'> & QuotaChoice;

/** What a type draws on beside its event's places: a quota of its own with this capacity, or this one, shared. */
interface QuotaChoice {
  capacity?: number | null;
  quotaId?: number | null;
}

/** A field that is left out stays as it is. */
export type TicketTypeChanges = Partial<TicketTypeFields>;

@Injectable()
export class TicketTypesService {
  constructor(
    private readonly repository: TicketTypesRepository,
    private readonly quotas: QuotasService,
    private readonly inventory: InventoryService,
    private readonly access: EventAccessService,
    private readonly transactions: Transactions,
    private readonly settings: Settings,
  ) {}

  /**
   * Gives a new event its types, in the transaction that creates the event; left out: one that is free.
   *
   * @throws {Problem} 422 with a pointer into `/ticket_types`
   */
  async createWithEvent(eventId: number, types: TicketTypeFields[] = [ONLY_TYPE]): Promise<void> {
    const event = await this.access.lock(eventId, { by: 'anyone' });
    for (const [i, fields] of types.entries()) await this.insert(event, fields, `/ticket_types/${i}`);
  }

  /** @throws {Problem} `event_not_found`, `forbidden`, `too_many_in_event`, 422 */
  async create(eventId: number, fields: TicketTypeFields, scope: OrganizerScope): Promise<TicketTypeView> {
    return await this.transactions.run(async () => {
      const event = await this.access.lock(eventId, scope);
      const { live, all } = await this.repository.count(eventId);
      if (live >= MOST_TYPES || all >= MOST_TYPES_EVER) throw new Problem('too_many_in_event');
      return await this.repository.find(await this.insert(event, fields, ''));
    });
  }

  /**
   * @returns also whether the caller organizes the event, and so sees what others don't
   * @throws {Problem} `event_not_found`
   */
  async listByEvent(
    eventId: number,
    scope: OrganizerScope,
    query: PageQuery,
  ): Promise<Page<TicketTypeView> & { isTheirs: boolean }> {
    const list = ofList(query, 'ticket-types', eventId);
    const after = sortKeyOf<TicketTypeKey>(list, isPosition, isId) ?? START;
    const found = await this.repository.listByEvent(eventId, scope, after, query.limit + 1);
    if (!found) throw new Problem('event_not_found');
    return { ...pageOf(found.types, list, ({ position, id }) => [position, id]), isTheirs: found.isTheirs };
  }

  /** @throws {Problem} `ticket_type_not_found` */
  async get(id: number, scope: OrganizerScope): Promise<TicketTypeView> {
    const type = await this.repository.findSeen(id, scope);
    if (!type) throw new Problem('ticket_type_not_found');
    return type;
  }

  /** @throws {Problem} `ticket_type_not_found`, `forbidden`, `ticket_type_has_tickets`, `capacity_in_use`, 422 */
  async update(id: number, changes: TicketTypeChanges, scope: OrganizerScope): Promise<TicketTypeView> {
    return await this.transactions.run(async () => {
      const type = await this.lock(id, scope);
      const { capacity, quotaId, ...fields } = changes;
      refuseContradictions({ ...type, ...fields }, fields, '');
      this.refuseMoreThanHeld(fields, '');
      const quotaIds = await this.changeQuota(type, { capacity, quotaId });
      await this.repository.update(id, { ...fields, ...(quotaIds && { quotaIds }) });
      if (quotaIds && type.quotaId !== null)
        await this.inventory.deleteUnusedQuota(type.eventId, type.quotaId);
      return await this.repository.find(id);
    });
  }

  /**
   * Takes a type off every list, for good. It is never deleted: an order that is just being placed may still take it, and
   * its tickets stay good.
   *
   * @throws {Problem} `ticket_type_not_found`, `forbidden`
   */
  async archive(id: number, scope: OrganizerScope): Promise<void> {
    await this.transactions.run(async () => {
      await this.lock(id, scope);
      await this.repository.archive(id);
    });
  }

  private async lock(id: number, scope: OrganizerScope): Promise<LockedTicketType> {
    const type = await this.repository.lock(id, scope);
    if (type) return type;
    throw new Problem((await this.repository.isSeen(id)) ? 'forbidden' : 'ticket_type_not_found');
  }

  private async insert(event: LockedEvent, fields: TicketTypeFields, at: string): Promise<number> {
    const { capacity, quotaId, ...columns } = fields;
    refuseContradictions({ ...columns, currency: event.currency }, columns, at);
    this.refuseMoreThanHeld(columns, at);
    const quotaIds = [event.quotaId];
    if (capacity != null) quotaIds.push(await this.quotas.createOwn(event.id, capacity));
    if (quotaId != null) quotaIds.push(await this.quotas.share(event.id, quotaId, `${at}/quota_id`));
    return await this.repository.insert({ ...columns, eventId: event.id, quotaIds });
  }

  /** A type that begins with more tickets than a user may hold could never be ordered. */
  private refuseMoreThanHeld({ minPerOrder = 1 }: Partial<TicketTypeFields>, at: string): void {
    const most = this.settings.MAX_HOLDS_PER_USER_EVENT;
    if (most > 0 && minPerOrder > most)
      throw invalid(
        `${at}/min_per_order`,
        `must not be above ${most}, as many as a user may hold of one event`,
      );
  }

  /** @returns the quotas that the type draws on from now on; undefined where they stay */
  private async changeQuota(
    type: LockedTicketType,
    { capacity, quotaId }: QuotaChoice,
  ): Promise<number[] | undefined> {
    if (capacity !== undefined && quotaId === undefined && type.quotaId !== null) {
      if (!type.isQuotaOwn) {
        throw invalid(
          '/capacity',
          `is that of quota ${type.quotaId}, which types may share: change it there`,
        );
      }
      if (capacity !== null) {
        await this.inventory.changeQuota(type.quotaId, { capacity });
        return undefined;
      }
    }
    const isToStay = capacity == null && (quotaId ?? null) === type.quotaId;
    if (isToStay || (capacity === undefined && quotaId === undefined)) return undefined;
    await this.inventory.stopSelling(type.eventId, type.id);
    if (capacity != null) return [type.eventQuotaId, await this.quotas.createOwn(type.eventId, capacity)];
    if (quotaId != null)
      return [type.eventQuotaId, await this.quotas.share(type.eventId, quotaId, '/quota_id')];
    return [type.eventQuotaId];
  }
}

const isPosition = (part: unknown): part is number =>
  Number.isInteger(part) && Math.abs(Number(part)) < 2 ** 31;

type Checked = Pick<TicketTypeFields, 'price' | 'salesFrom' | 'salesUntil' | 'minPerOrder' | 'maxPerOrder'>;

/**
 * @param type as it would be
 * @param given the fields that are to blame, of two that contradict each other
 * @param at where they stand in the body
 * @throws {Problem} 422
 */
function refuseContradictions(
  { currency, salesFrom, salesUntil, minPerOrder, maxPerOrder }: Checked & { currency: string | null },
  given: Partial<Checked>,
  at: string,
): void {
  if (currency === null && (given.price ?? 0) > 0)
    throw invalid(`${at}/price`, 'above 0 needs the currency of the event');
  if (salesFrom && salesUntil && salesUntil <= salesFrom) {
    throw given.salesUntil
      ? invalid(`${at}/sales_until`, 'must be after sales_from')
      : invalid(`${at}/sales_from`, 'must be before sales_until');
  }
  if (maxPerOrder < minPerOrder) {
    throw given.maxPerOrder === undefined
      ? invalid(`${at}/min_per_order`, `must not be above max_per_order, which is ${maxPerOrder}`)
      : invalid(`${at}/max_per_order`, `must not be below min_per_order, which is ${minPerOrder}`);
  }
}
