import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Statements } from '../database/statements';
import { FIND_STUCK_EVENTS, FIND_STUCK_TICKETS } from './find-stuck.statements';

/** More than anybody locks at once; the oldest are forgotten, and found again. */
const MOST = 10_000;
/** Nothing tells that a ticket is free again, so it is soon tried like every other. */
const TICKET_MS = 2_000;

/**
 * Rows that somebody keeps locked: a forgotten transaction, a person at a console. What needs one of them waits in a lane
 * of its own, so that what needs another does not wait for it.
 */
@Injectable()
export class StuckRows {
  private readonly events = new LRUCache<number, true>({ max: MOST });
  private readonly tickets = new LRUCache<number, true>({ max: MOST, ttl: TICKET_MS });

  constructor(private readonly statements: Statements) {}

  /** Ids of events whose counters are locked. */
  get eventIds(): number[] {
    return [...this.events.keys()];
  }

  /** Ids of tickets that are locked. */
  get ticketIds(): number[] {
    return [...this.tickets.keys()];
  }

  hasEvent = (id: number) => this.events.has(id);

  hasTicket = (id: number) => this.tickets.has(id);

  /** Looks which of the events are stuck now, and remembers it. */
  async lookAtEvents(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    const stuck = await this.statements.run<{ id: number }>(FIND_STUCK_EVENTS, [ids]);
    for (const id of ids) this.events.delete(id);
    for (const { id } of stuck) this.events.set(id, true);
  }

  /** Looks which of the tickets, and of their events, are stuck now, and remembers it. */
  async lookAtTickets(ids: readonly number[]): Promise<void> {
    const found = await this.statements.run<{ id: number; eventId: number; isStuck: boolean }>(
      FIND_STUCK_TICKETS,
      [ids],
    );
    this.markTickets(found.flatMap(({ id, isStuck }) => (isStuck ? [id] : [])));
    await this.lookAtEvents([...new Set(found.map(({ eventId }) => eventId))]);
  }

  forgetTicket(id: number): void {
    this.tickets.delete(id);
  }

  markTickets(ids: readonly number[]): void {
    for (const id of ids) this.tickets.set(id, true);
  }
}
