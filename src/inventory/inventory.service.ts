import { Injectable } from '@nestjs/common';
import { Transactions } from '../database/transactions';
import { Problem } from '../problems/problem';
import type { ReleaseTrigger } from '../telemetry/channels';
import { DueHolds } from './due-holds';
import { HoldPlacement } from './hold-placement';
import { HoldResolution } from './hold-resolution';
import {
  InventoryRepository,
  type Drift,
  type HoldRequest,
  type LockedQuota,
  type ResolveRequest,
  type SeatTicket,
} from './inventory.repository';

export type { HoldRequest, ResolveRequest };

/**
 * Where places change hands. Concurrent calls share statements, which commit by themselves; each caller gets an answer of
 * its own.
 */
@Injectable()
export class InventoryService {
  constructor(
    private readonly repository: InventoryRepository,
    private readonly placement: HoldPlacement,
    private readonly resolution: HoldResolution,
    private readonly dueHolds: DueHolds,
    private readonly transactions: Transactions,
  ) {}

  /** Puts the places of a new event up for sale, in the transaction that creates the event. */
  async createQuota(eventId: number, capacity: number): Promise<void> {
    await this.repository.insert(eventId, capacity);
  }

  /**
   * Keeps the counters of an event as they are until the transaction ends.
   *
   * @throws {Problem} `service_unavailable` where the event lost its counters: a person has to look
   */
  async lockQuota(eventId: number): Promise<LockedQuota> {
    const quota = await this.repository.lockQuota(eventId);
    if (!quota) throw new Problem('service_unavailable', { headers: { 'Retry-After': '60' } });
    return quota;
  }

  /** Only after `lockQuota`, and not below what is held and sold. */
  async setCapacity(eventId: number, capacity: number): Promise<void> {
    await this.repository.setCapacity(eventId, capacity);
  }

  /** Only after `lockQuota`, and only of an event of which no place was ever taken. */
  async deleteQuota(eventId: number): Promise<void> {
    await this.repository.deleteQuota(eventId);
  }

  /**
   * Holds one place for `HOLD_SECONDS`.
   *
   * @throws {Problem} `user_not_found`, `event_not_found`, `event_not_published`, `event_ended`, `event_sold_out`,
   *   `hold_limit_reached`, `network_hold_limit_reached` or `hold_cool_down` (with `Retry-After`)
   */
  holdPlace(request: HoldRequest): Promise<SeatTicket> {
    this.refuseTransaction();
    return this.placement.place(request);
  }

  /**
   * Turns a live hold into a sale, or gives its place back.
   *
   * @throws {Problem} `ticket_not_found`, `ticket_not_payable` or `ticket_not_cancellable`
   */
  resolveHold(request: ResolveRequest): Promise<SeatTicket> {
    this.refuseTransaction();
    return this.resolution.resolve(request);
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
