import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { Statements } from '../database/statements';
import { Inventory } from './inventory.entity';
import { RELEASE_DUE, RELEASE_DUE_OF_EVENTS, RESERVE, SAMPLE_DRIFT, SETTLE } from './inventory.statements';

/** A ticket as the statement that changed its seat returns it. */
export interface SeatTicket {
  id: number;
  userId: number;
  eventId: number;
  status: string;
  createdAt: Date;
  expiresAt: Date;
  paidAt: Date | null;
}

export interface ReserveRequest {
  userId: number;
  eventId: number;
}

export type ReserveRefusal =
  | 'user_not_found'
  | 'event_not_found'
  | 'event_ended'
  | 'event_sold_out'
  | 'hold_limit_reached'
  | 'hold_cool_down';

/** `retryAfter`: seconds until a `hold_cool_down` ends. */
export type ReserveAnswer = SeatTicket & { refusal: ReserveRefusal | null; retryAfter: number | null };

export interface SettleRequest {
  ticketId: number;
  target: 'paid' | 'cancelled';
  /** Whose ticket it must be; null: anyone's. */
  ownerId: number | null;
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

/** `found`: the ticket exists and belongs to the owner; `id` is null where this request did not change it. */
export type SettleAnswer = { found: boolean } & (SeatTicket | { id: null });

@Injectable()
export class InventoryRepository {
  constructor(
    @InjectRepository(Inventory) private readonly repository: Repository<Inventory>,
    private readonly statements: Statements,
  ) {}

  async insert(manager: EntityManager, eventId: number, capacity: number): Promise<void> {
    await manager.withRepository(this.repository).insert({ eventId, capacity });
  }

  /** One answer per request, in the order of the requests. */
  async reserve(
    requests: readonly ReserveRequest[],
    holdSeconds: number,
    limit: number,
    coolDownSeconds: number,
  ): Promise<ReserveAnswer[]> {
    const users = requests.map((request) => request.userId);
    const events = requests.map((request) => request.eventId);
    return await this.statements.run<ReserveAnswer>(RESERVE, [
      users,
      events,
      holdSeconds,
      limit,
      coolDownSeconds,
    ]);
  }

  /** One answer per request, in the order of the requests. */
  async settle(requests: readonly SettleRequest[]): Promise<SettleAnswer[]> {
    const tickets = requests.map((request) => request.ticketId);
    const targets = requests.map((request) => request.target);
    const owners = requests.map((request) => request.ownerId);
    return await this.statements.run<SettleAnswer>(SETTLE, [tickets, targets, owners]);
  }

  /** @returns how late each of the holds was ended, at most `limit` */
  async releaseDue(limit: number): Promise<number[]> {
    const rows = await this.statements.run<{ lateSeconds: number }>(RELEASE_DUE, [limit]);
    return rows.map((row) => row.lateSeconds);
  }

  /** @returns those of the events that have free seats again, and how late each of the holds was ended */
  async releaseDueOf(
    eventIds: number[],
    limit: number,
  ): Promise<{ eventIds: number[]; lateSeconds: number[] }> {
    const rows = await this.statements.run<{ eventId: number | null; lateSeconds: number | null }>(
      RELEASE_DUE_OF_EVENTS,
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
