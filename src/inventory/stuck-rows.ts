import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Statements } from '../database/statements';
import type { OrderName } from './held-order';
import { FIND_STUCK_EVENTS, FIND_STUCK_ORDERS } from './find-stuck.statements';

/** More than anybody locks at once; the oldest are forgotten, and found again. */
const MOST = 10_000;
/** Nothing tells that an order is free again, so it is soon tried like every other. */
const ORDER_MS = 2_000;

/**
 * Rows that somebody keeps locked: a forgotten transaction, a person at a console. What needs one of them waits in a lane
 * of its own, so that what needs another does not wait for it.
 */
@Injectable()
export class StuckRows {
  private readonly events = new LRUCache<number, true>({ max: MOST });
  private readonly orders = new LRUCache<number, true>({ max: MOST, ttl: ORDER_MS });
  /** Of those of the orders that were asked for by a ticket. */
  private readonly tickets = new LRUCache<number, true>({ max: MOST, ttl: ORDER_MS });

  constructor(private readonly statements: Statements) {}

  /** Ids of events of which a quota is locked. */
  get eventIds(): number[] {
    return [...this.events.keys()];
  }

  /** Ids of orders that are locked. */
  get orderIds(): number[] {
    return [...this.orders.keys()];
  }

  hasEvent = (id: number) => this.events.has(id);

  hasOrder = ({ orderId, ticketId }: OrderName) =>
    orderId === null ? this.tickets.has(ticketId) : this.orders.has(orderId);

  /** Looks which of the events are stuck now, and remembers it. */
  async lookAtEvents(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    const stuck = await this.statements.run<{ id: number }>(FIND_STUCK_EVENTS, [ids]);
    for (const id of ids) this.events.delete(id);
    for (const { id } of stuck) this.events.set(id, true);
  }

  /** Looks once more, after a change that was made whatever the look finds: it must not seem to have failed with it. */
  async lookAgainAtEvent(id: number): Promise<void> {
    await this.lookAtEvents([id]).catch(() => undefined);
  }

  /** Looks which of the orders, and of their events, are stuck now, and remembers it. */
  async lookAtOrders(names: readonly OrderName[]): Promise<void> {
    const orderIds = names.flatMap(({ orderId }) => orderId ?? []);
    const ticketIds = names.flatMap(({ orderId, ticketId }) => (orderId === null ? [ticketId] : []));
    const found = await this.statements.run<{
      id: number;
      ticketId: number | null;
      eventId: number;
      isStuck: boolean;
    }>(FIND_STUCK_ORDERS, [orderIds, ticketIds]);
    for (const { id, ticketId, isStuck } of found) {
      if (isStuck) this.orders.set(id, true);
      if (isStuck && ticketId !== null) this.tickets.set(ticketId, true);
    }
    await this.lookAtEvents([...new Set(found.map(({ eventId }) => eventId))]);
  }

  forgetOrder({ orderId, ticketId }: OrderName): void {
    if (orderId === null) this.tickets.delete(ticketId);
    else this.orders.delete(orderId);
  }

  markOrders(ids: readonly number[]): void {
    for (const id of ids) this.orders.set(id, true);
  }
}
