import { Injectable } from '@nestjs/common';
import type { OrganizerScope } from '../database/scope';
import { Transactions } from '../database/transactions';
import { isMatch } from '../http/entity-tag';
import { MAX_METADATA, mergeMetadata } from '../http/metadata';
import { InventoryService } from '../inventory/inventory.service';
import { invalid, Problem } from '../problems/problem';
import { EventsRepository, type EventChanges, type EventWithSeats } from './events.repository';

type LockedEvent = NonNullable<Awaited<ReturnType<EventsRepository['lock']>>>;

/**
 * What an organizer does with an event that is there. Locks are taken in one order: the event, then its places, as a
 * reservation takes them.
 */
@Injectable()
export class EventChangesService {
  constructor(
    private readonly repository: EventsRepository,
    private readonly inventory: InventoryService,
    private readonly transactions: Transactions,
  ) {}

  /**
   * @param ifMatch only where the event is as this `If-Match` header says
   * @returns the event as it is then
   * @throws {Problem} `event_not_found`, `forbidden`, `event_changed`, `event_status_fixed`, `currency_fixed`,
   *   `capacity_in_use`; 422 where the changes do not fit what stays
   */
  async update(
    id: number,
    changes: EventChanges,
    scope: OrganizerScope,
    ifMatch?: string,
  ): Promise<EventWithSeats> {
    return await this.transactions.run(async () => {
      const event = await this.lock(id, scope, ifMatch);
      if (Object.keys(changes).length > 0) await this.change(event, changes);
      return (await this.repository.findById(id, scope)) as EventWithSeats;
    });
  }

  /**
   * Deletes an event without orders; ended ones count, too.
   *
   * @throws {Problem} `event_not_found`, `forbidden`, `event_changed` or `event_has_orders`
   */
  async delete(id: number, scope: OrganizerScope, ifMatch?: string): Promise<void> {
    await this.transactions.run(async () => {
      await this.lock(id, scope, ifMatch);
      const { hasOrders } = await this.inventory.lockQuotas(id);
      if (hasOrders) throw new Problem('event_has_orders');
      await this.inventory.deleteQuotas(id);
      await this.repository.delete(id);
    });
  }

  private async lock(id: number, scope: OrganizerScope, ifMatch: string | undefined): Promise<LockedEvent> {
    const event = await this.repository.lock(id, scope);
    if (!event) throw new Problem('event_not_found');
    if (!event.isTheirs) {
      throw new Problem('forbidden', { detail: 'Only the organizer of the event or an admin changes it' });
    }
    if (!isMatch(ifMatch, event.version)) throw new Problem('event_changed');
    return event;
  }

  private async change(event: LockedEvent, { capacity, metadata, ...fields }: EventChanges): Promise<void> {
    const { status = event.status, currency = event.currency } = fields;
    if (status !== event.status && event.status !== 'draft') throw new Problem('event_status_fixed');
    refuseEndBeforeStart(event, fields);
    const merged = metadata === undefined ? event.metadata : mergeMetadata(event.metadata, metadata);
    if (merged === undefined) {
      throw invalid('/metadata', `must leave at most ${MAX_METADATA} names, together with those that stay`);
    }
    const isOtherCurrency = currency !== event.currency;
    const sales =
      isOtherCurrency || capacity !== undefined ? await this.inventory.lockQuotas(event.id) : undefined;
    if (sales && isOtherCurrency) {
      // An event without a currency has sold nothing that has a price.
      if (event.currency !== null && sales.hasOrders) throw new Problem('currency_fixed');
      if (currency === null && sales.hasPrices)
        throw invalid('/currency', 'must stay while a ticket type has a price');
      // An order that waits for the counters has read the old one.
      await this.inventory.outdateOrders(event.id);
    }
    if (sales && capacity !== undefined) await this.inventory.changeQuota(sales.quotaId, { capacity });
    await this.repository.update(event.id, { ...fields, metadata: merged });
  }
}

/** Of the times that are changed, the pointer names one. */
function refuseEndBeforeStart(event: LockedEvent, changes: EventChanges): void {
  const { startTime = event.startTime, endTime = event.endTime } = changes;
  if (endTime >= startTime) return;
  if (changes.endTime) throw invalid('/end_time', 'must not be before start_time');
  if (changes.startTime) throw invalid('/start_time', 'must not be after end_time');
}
