import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { buyerIn, type Scope } from '../database/scope';
import { Statements } from '../database/statements';
import { Inventory } from './inventory.entity';
import { PLACE_HOLDS } from './place-holds';
import { RELEASE_DUE_HOLDS, RELEASE_DUE_HOLDS_OF_EVENTS } from './release-due-holds';
import { RESOLVE_HOLDS } from './resolve-holds';
import { SAMPLE_DRIFT } from './sample-drift';
import type { TicketStatus } from './ticket-status';

/*
 * Every statement by which seats change hands. Each moves the tickets and the counters together, so that no crash
 * and no rival can come between; all take their locks in one order, tickets before inventory, each by id, so that no
 * two can wait for each other. Rows that were waited for are read anew once they are locked (READ COMMITTED), so
 * what is decided is decided on the counters as they are.
 *
 * A counter of held seats that went wrong by somebody's hand (`npm run doctor` finds it) may be too low for the holds
 * that end. It stays at 0 then: the CHECK would let nobody pay, and keep due holds of all other events, too.
 *
 * Of requests, holds and what becomes of them the planner knows nothing, and joins two such sets by comparing each row
 * with each. So what comes later waits for a lock by reading how many rows were locked, not by a join with them.
 */

/** A ticket as the statement that changed its seat returns it. */
export interface SeatTicket {
  id: number;
  userId: number;
  eventId: number;
  status: TicketStatus;
  createdAt: Date;
  expiresAt: Date;
  paidAt: Date | null;
}

export interface HoldRequest {
  userId: number;
  eventId: number;
}

export type HoldRefusal =
  | 'user_not_found'
  | 'event_not_found'
  | 'event_ended'
  | 'event_sold_out'
  | 'hold_limit_reached'
  | 'hold_cool_down';

/** `retryAfter`: seconds until a `hold_cool_down` ends. */
export type HoldAnswer = SeatTicket & { refusal: HoldRefusal | null; retryAfter: number | null };

export interface ResolveRequest {
  ticketId: number;
  target: 'paid' | 'cancelled';
  scope: Scope;
}

/** What a look at some of the counters found. */
export interface Drift {
  /** Where the next look goes on; 0 after the last event. */
  lastEventId: number;
  /** Held seats too many or too few. */
  seats: number;
  /** Whose counters are wrong. */
  eventIds: string[];
}

/** `found`: the ticket is there and within the scope; `id` is null where this request did not change it. */
export type ResolveAnswer = { found: boolean } & (SeatTicket | { id: null });

@Injectable()
export class InventoryRepository {
  constructor(
    @InjectRepository(Inventory) private readonly repository: Repository<Inventory>,
    private readonly statements: Statements,
  ) {}

  async insert(eventId: number, capacity: number): Promise<void> {
    await this.repository.insert({ eventId, capacity });
  }

  /** One answer per request, in the order of the requests. */
  async placeHolds(
    requests: readonly HoldRequest[],
    holdSeconds: number,
    limit: number,
    coolDownSeconds: number,
  ): Promise<HoldAnswer[]> {
    const users = requests.map((request) => request.userId);
    const events = requests.map((request) => request.eventId);
    return await this.statements.run<HoldAnswer>(PLACE_HOLDS, [
      users,
      events,
      holdSeconds,
      limit,
      coolDownSeconds,
    ]);
  }

  /** One answer per request, in the order of the requests. */
  async resolveHolds(requests: readonly ResolveRequest[]): Promise<ResolveAnswer[]> {
    const tickets = requests.map((request) => request.ticketId);
    const targets = requests.map((request) => request.target);
    const buyers = requests.map((request) => buyerIn(request.scope));
    return await this.statements.run<ResolveAnswer>(RESOLVE_HOLDS, [tickets, targets, buyers]);
  }

  /** @returns how late each of the holds was ended, at most `limit` */
  async releaseDueHolds(limit: number): Promise<number[]> {
    const rows = await this.statements.run<{ lateSeconds: number }>(RELEASE_DUE_HOLDS, [limit]);
    return rows.map((row) => row.lateSeconds);
  }

  /** @returns those of the events that have free seats again, and how late each of the holds was ended */
  async releaseDueHoldsOf(
    eventIds: number[],
    limit: number,
  ): Promise<{ eventIds: number[]; lateSeconds: number[] }> {
    const rows = await this.statements.run<{ eventId: number | null; lateSeconds: number | null }>(
      RELEASE_DUE_HOLDS_OF_EVENTS,
      [eventIds, limit],
    );
    return {
      eventIds: rows.flatMap(({ eventId }) => eventId ?? []),
      lateSeconds: rows.flatMap(({ lateSeconds }) => lateSeconds ?? []),
    };
  }

  async sampleDrift(eventIds: string[], lastEventId: number, limit: number): Promise<Drift> {
    const [drift] = await this.statements.run<Drift>(SAMPLE_DRIFT, [eventIds, lastEventId, limit]);
    return drift as Drift;
  }
}
