import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { buyerIn, issuedAtIn, type Scope, type Subject } from '../database/scope';
import { Statements } from '../database/statements';
import { keyValues, type Claimed, type KeyClaim } from '../idempotency/key-claim';
import type { Network } from '../http/network';
import { NetworkKeys } from './network-keys';
import { DELETE_QUOTA, LOCK_QUOTA, SET_CAPACITY } from './change-quota.statements';
import { Inventory } from './inventory.entity';
import { PLACE_HOLDS, PLACE_KEYED_HOLDS } from './place-holds.statement';
import type { Since } from './due-scan-cursor';
import { EVENTS_OF_DUE_HOLDS } from './find-stuck.statements';
import {
  RELEASE_DUE_HOLDS,
  RELEASE_DUE_HOLDS_OF_EVENTS,
  RELEASE_UNLOCKED_HOLDS_OF_EVENTS,
} from './release-due-holds.statements';
import { RESOLVE_HOLDS, RESOLVE_KEYED_HOLDS } from './resolve-holds.statement';
import { SAMPLE_DRIFT } from './sample-drift.statement';
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

export interface HoldRequest extends Subject {
  eventId: number;
  /** Since when the holds of the event are to be looked at for due ones. */
  dueSince?: Since;
  /** Where it comes from; left out where that is not counted, as for a trusted back end. */
  network?: Network;
  /** Left out where the request has no `Idempotency-Key`. */
  claim?: KeyClaim;
}

export type HoldRefusal =
  | 'user_not_found'
  | 'event_not_found'
  | 'event_not_published'
  | 'event_ended'
  | 'event_sold_out'
  | 'hold_limit_reached'
  | 'network_hold_limit_reached'
  | 'hold_cool_down';

/**
 * `retryAfter`: seconds until a `hold_cool_down` ends. `noneDueAt`: the event was sold out at that time, and no hold of it
 * was due, in milliseconds since 1970 by the database's clock.
 */
export type HoldAnswer = SeatTicket & {
  refusal: HoldRefusal | null;
  retryAfter: number | null;
  noneDueAt: number | null;
};

export interface ResolveRequest {
  ticketId: number;
  target: 'paid' | 'cancelled';
  scope: Scope;
  /** Left out where the request has no `Idempotency-Key`. */
  claim?: KeyClaim;
}

/** What a statement answers; beside, where any of its requests has a key, what became of the key. */
export type Keyed<Answer> = Answer & Partial<Claimed<Answer>>;

/** What a look at some of the counters found. */
export interface Drift {
  /** Where the next look goes on; 0 after the last event. */
  lastEventId: number;
  /** Held seats too many or too few. */
  seats: number;
  /** Whose counters are wrong. */
  eventIds: string[];
}

/**
 * `isChanged`: by this request; `stuckEventId`: the ticket is left as it is, because the counters of its event are
 * locked; `id` is null where there is no such ticket within the scope.
 */
export type ResolveAnswer = { isChanged: boolean; stuckEventId: number | null } & (SeatTicket | { id: null });

/** Which holds to end. */
export interface Due {
  limit: number;
  /** Only those that fell due after this time. */
  since: Since;
  /** Ids of events whose counters are locked. */
  leftOut: number[];
}

export interface DueOfEvents {
  eventIds: readonly number[];
  limit: number;
  /** Of each event, in the order of the events. */
  since: Since[];
  /** Ids of tickets that are locked. */
  leftOut: number[];
}

/** What a look for due holds came to. */
export interface Released {
  lookedAt: Date;
  /** How late each of the holds was ended. */
  lateSeconds: number[];
}

/** `wasTaken`: a place was taken at some time, whatever became of its ticket. */
export type LockedQuota = Pick<Inventory, 'held' | 'sold' | 'wasTaken'>;

@Injectable()
export class InventoryRepository {
  constructor(
    @InjectRepository(Inventory) private readonly repository: Repository<Inventory>,
    private readonly statements: Statements,
    private readonly networks: NetworkKeys,
  ) {}

  async insert(eventId: number, capacity: number): Promise<void> {
    await this.repository.insert({ eventId, capacity });
  }

  async lockQuota(eventId: number): Promise<LockedQuota | undefined> {
    const [quota] = await this.statements.run<LockedQuota>(LOCK_QUOTA, [eventId]);
    return quota;
  }

  async setCapacity(eventId: number, capacity: number): Promise<void> {
    await this.statements.run(SET_CAPACITY, [eventId, capacity]);
  }

  async deleteQuota(eventId: number): Promise<void> {
    await this.statements.run(DELETE_QUOTA, [eventId]);
  }

  /**
   * One answer per request, in the order of the requests.
   *
   * @param isLastTry whether "sold out" is kept under a request's key: before, due holds may still give places back
   */
  async placeHolds(
    requests: readonly HoldRequest[],
    holdSeconds: number,
    limit: number,
    coolDownSeconds: number,
    networkLimit: number,
    patienceMs: number,
    isLastTry = false,
  ): Promise<Keyed<HoldAnswer>[]> {
    const users = requests.map((request) => request.userId);
    const events = requests.map((request) => request.eventId);
    const issuedAt = requests.map((request) => request.issuedAt ?? null);
    const since = requests.map(({ dueSince }) => (dueSince instanceof Date ? dueSince.getTime() : null));
    const policy = [holdSeconds, limit, coolDownSeconds, patienceMs];
    const networks = requests.map(({ network }) => this.networks.keyOf(network));
    const values = [users, events, ...policy, issuedAt, since, networks, networkLimit];
    const claims = requests.map(({ claim }) => claim);
    if (!claims.some(Boolean)) return await this.statements.run<HoldAnswer>(PLACE_HOLDS, values);
    const keyed = [...values, ...keyValues(claims), isLastTry];
    return withDates(await this.statements.run<Keyed<HoldAnswer>>(PLACE_KEYED_HOLDS, keyed));
  }

  /** One answer per request, in the order of the requests. */
  async resolveHolds(
    requests: readonly ResolveRequest[],
    stuckEventIds: number[],
    patienceMs: number,
  ): Promise<Keyed<ResolveAnswer>[]> {
    const tickets = requests.map((request) => request.ticketId);
    const targets = requests.map((request) => request.target);
    const buyers = requests.map((request) => buyerIn(request.scope));
    const issuedAt = requests.map((request) => issuedAtIn(request.scope));
    const values = [tickets, targets, buyers, stuckEventIds, patienceMs, issuedAt];
    const claims = requests.map(({ claim }) => claim);
    if (!claims.some(Boolean)) return await this.statements.run<ResolveAnswer>(RESOLVE_HOLDS, values);
    const keyed = [...values, ...keyValues(claims)];
    return withDates(await this.statements.run<Keyed<ResolveAnswer>>(RESOLVE_KEYED_HOLDS, keyed));
  }

  /** Ends what is due of all events, at most `limit` holds. */
  async releaseDueHolds(
    { limit, since, leftOut }: Due,
    patienceMs: number,
  ): Promise<Released & { leftSince: Date | null }> {
    const values = [limit, since, leftOut, patienceMs];
    const [found] = await this.statements.run<Released & { leftSince: Date | null }>(
      RELEASE_DUE_HOLDS,
      values,
    );
    return found as Released & { leftSince: Date | null };
  }

  /** Of the holds that `releaseDueHolds` would end. */
  async findEventsOfDueHolds({ limit, since, leftOut }: Due): Promise<number[]> {
    const rows = await this.statements.run<{ id: number }>(EVENTS_OF_DUE_HOLDS, [limit, since, leftOut]);
    return rows.map(({ id }) => id);
  }

  /**
   * Ends what is due of some events.
   *
   * @returns beside: those of the events that have free places again, the tickets that were skipped, and whether there
   *   were fewer holds than `limit`
   */
  async releaseDueHoldsOf(
    { eventIds, since, limit, leftOut }: DueOfEvents,
    { patienceMs, isWaiting }: { patienceMs: number; isWaiting: boolean },
  ): Promise<Released & { eventIds: number[]; skippedIds: number[]; isAll: boolean }> {
    const statement = isWaiting ? RELEASE_DUE_HOLDS_OF_EVENTS : RELEASE_UNLOCKED_HOLDS_OF_EVENTS;
    const [found] = await this.statements.run<
      Released & { eventIds: string[]; skippedIds: string[]; isAll: boolean }
    >(statement, [eventIds, limit, since, leftOut, patienceMs]);
    return {
      ...(found as Released & { isAll: boolean }),
      eventIds: found?.eventIds.map(Number) ?? [],
      skippedIds: found?.skippedIds.map(Number) ?? [],
    };
  }

  async sampleDrift(eventIds: string[], lastEventId: number, limit: number): Promise<Drift> {
    const [drift] = await this.statements.run<Drift>(SAMPLE_DRIFT, [eventIds, lastEventId, limit]);
    return drift as Drift;
  }
}

/** An outcome that was kept has its times in words. */
function withDates<Answer extends object>(rows: Keyed<Answer>[]): Keyed<Answer>[] {
  for (const { outcome } of rows as Keyed<Partial<SeatTicket>>[]) {
    for (const time of ['createdAt', 'expiresAt', 'paidAt'] as const) {
      if (outcome?.[time]) outcome[time] = new Date(outcome[time]);
    }
  }
  return rows;
}
