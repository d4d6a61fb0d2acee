import { Injectable } from '@nestjs/common';
import { Transactions } from '../database/transactions';
import { Problem } from '../problems/problem';
import type { ReleaseTrigger } from '../telemetry/channels';
import { DueHolds } from './due-holds';
import { HoldPlacement } from './hold-placement';
import { HoldResolution, PaymentOpen } from './hold-resolution';
import type { HeldOrder, HoldRequest, ResolvedOrder, ResolveRequest } from './held-order';
import { InventoryRepository, type Drift, type QuotaChanges, type Sales } from './inventory.repository';
import type { QuotaKind } from './quota.entity';

/** @throws {Problem} `payment_in_progress` */
type ClosePayment = (orderId: number) => Promise<void>;

/** Of an event, together with those of types and codes that were deleted, whose orders may still count there. */
const MOST_QUOTAS_EVER = 5_000;

/** Orders of an event that are looked through for a ticket type. */
const MOST_ORDERS = 10_000;

/**
 * Where places change hands. Concurrent calls share statements, which commit by themselves; each caller gets an answer of
 * its own.
 */
@Injectable()
export class InventoryService {
  private closePayment: ClosePayment = () => Promise.resolve();

  constructor(
    private readonly repository: InventoryRepository,
    private readonly placement: HoldPlacement,
    private readonly resolution: HoldResolution,
    private readonly dueHolds: DueHolds,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Makes a counter of places, in the transaction that creates what it counts for.
   *
   * @returns its id
   * @throws {Problem} `too_many_in_event`
   */
  async createQuota(eventId: number, kind: QuotaKind, capacity: number, name = ''): Promise<number> {
    if (kind !== 'event' && (await this.repository.count(eventId)) >= MOST_QUOTAS_EVER)
      throw new Problem('too_many_in_event');
    return await this.repository.insert({ eventId, kind, capacity, name });
  }

  /**
   * Keeps the counters of an event as they are until the transaction ends.
   *
   * @throws {Problem} `service_unavailable` where the event lost its counters: a person has to look
   */
  async lockQuotas(eventId: number): Promise<Sales> {
    const sales = await this.repository.lockQuotas(eventId);
    if (!sales) throw new Problem('service_unavailable', { headers: { 'Retry-After': '60' } });
    return sales;
  }

  /** Only after `lockQuotas`, and only of an event without orders. */
  async deleteQuotas(eventId: number): Promise<void> {
    await this.repository.deleteQuotas(eventId);
  }

  /** Has orders that were asked for before, and wait for the counters, look up anew what they are to be. */
  async outdateOrders(eventId: number): Promise<void> {
    await this.repository.outdateOrders(eventId);
  }

  /**
   * Changes a counter's name or capacity; what is left out stays as it is.
   *
   * @throws {Problem} `capacity_in_use` with what is `held` and `sold`, where that is more than the new capacity
   */
  async changeQuota(id: number, changes: QuotaChanges): Promise<void> {
    await this.transactions.run(async () => {
      const { capacity } = changes;
      const quota = capacity === undefined ? undefined : await this.repository.lock(id);
      if (quota && capacity !== undefined && quota.held + quota.sold > capacity) {
        throw new Problem('capacity_in_use', { members: { held: quota.held, sold: quota.sold } });
      }
      await this.repository.change(id, changes);
    });
  }

  /**
   * Keeps a ticket type from being sold out of the quotas that it draws on, which are about to change: until the
   * transaction ends, and by orders that were asked for before.
   *
   * @throws {Problem} `ticket_type_has_tickets`, also where the event has too many orders to look through
   */
  async stopSelling(eventId: number, ticketTypeId: number): Promise<void> {
    await this.repository.outdateOrders(eventId);
    if (await this.repository.hasOrders(eventId, ticketTypeId, MOST_ORDERS)) {
      throw new Problem('ticket_type_has_tickets');
    }
  }

  /** Only after `stopSelling`: deletes a ticket type's own quota, unless another type draws on it. */
  async deleteUnusedQuota(eventId: number, id: number): Promise<void> {
    await this.repository.deleteUnusedQuota(eventId, id);
  }

  /**
   * Holds all places of an order for `HOLD_SECONDS`, or none.
   *
   * @throws {Problem} any of `HoldRefusal`; `quantity_not_allowed` and `order_too_large` as `validation_failed`,
   *   `hold_cool_down` with `Retry-After`
   */
  holdPlaces(request: HoldRequest): Promise<HeldOrder> {
    this.refuseTransaction();
    return this.placement.place(request);
  }

  /**
   * Turns a live hold into a sale, or gives its places back.
   *
   * @throws {Problem} for an order: `order_not_found`, `order_not_payable` or `order_not_cancellable`; for one that is named
   *   by its ticket: `ticket_not_found`, `ticket_not_payable`, `ticket_not_cancellable`, `part_of_an_order` or
   *   `payment_required`; `payment_in_progress` where its payment can't be closed at its provider
   */
  async resolveHold(request: ResolveRequest): Promise<ResolvedOrder> {
    this.refuseTransaction();
    try {
      return await this.resolution.resolve(request);
    } catch (error) {
      if (!(error instanceof PaymentOpen)) throw error;
      await this.closePayment(error.orderId);
      return await this.resolution.resolve(request);
    }
  }

  /** Names what closes an open payment of an order, so that its hold may end. */
  closePaymentsBy(close: ClosePayment): void {
    this.closePayment = close;
  }

  /**
   * Ends every hold that is due and gives its place back; safe to call from anywhere, any number of times.
   *
   * @returns how many holds were ended
   */
  async releaseDueHolds(trigger: ReleaseTrigger): Promise<number> {
    return await this.dueHolds.release(trigger);
  }

  /** Compares the held places of some events with their tickets, bounded to be cheap; `npm run doctor` compares all. */
  async sampleDrift(eventIds: string[], lastEventId: number, limit: number): Promise<Drift> {
    return await this.repository.sampleDrift(eventIds, lastEventId, limit);
  }

  /** Its locks would last as long as the transaction, and the requests of others would be part of it. */
  private refuseTransaction(): void {
    if (this.transactions.runner) throw new Error('Places change hands outside of transactions');
  }
}
