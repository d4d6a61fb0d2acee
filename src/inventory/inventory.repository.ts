import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { buyerIn, issuedAtIn } from '../database/scope';
import { Statements } from '../database/statements';
import { keyValues } from '../idempotency/key-claim';
import type { HoldAnswer, HoldRequest, ResolveAnswer, ResolveRequest } from './held-order';
import { withDates, type Keyed } from './kept-outcome';
import { NetworkKeys } from './network-keys';
import {
  CHANGE_QUOTA,
  COUNT_ALL_QUOTAS,
  DELETE_QUOTAS,
  DELETE_UNUSED_QUOTA,
  FIND_SALES,
  FIND_ORDERS_OF_TYPE,
  LOCK_QUOTA,
  LOCK_QUOTAS,
  OUTDATE_ORDERS,
} from './change-quota.statements';
import { Quota } from './quota.entity';
import { PLACE_HOLDS, PLACE_KEYED_HOLDS } from './place-holds.statement';
import type { Found, FoundOnWalk, Since } from './due-scan-cursor';
import { EVENTS_OF_DUE_HOLDS } from './find-stuck.statements';
import {
  RELEASE_DUE_HOLDS,
  RELEASE_DUE_HOLDS_OF_EVENTS,
  RELEASE_UNLOCKED_HOLDS_OF_EVENTS,
} from './release-due-holds.statements';
import { RESOLVE_HOLDS, RESOLVE_KEYED_HOLDS } from './resolve-holds.statement';
import { SAMPLE_DRIFT } from './sample-drift.statement';

/*
 * Every statement by which seats change hands. Each moves the orders and the counters together, so that no crash
 * and no rival can come between; all take their locks in one order, orders before quotas, each by id, so that no
 * two can wait for each other. Rows that were waited for are read anew once they are locked (READ COMMITTED), so
 * what is decided is decided on the counters as they are.
 *
 * A counter of held seats that went wrong by somebody's hand (`npm run doctor` finds it) may be too low for the holds
 * that end. It stays at 0 then: the CHECK would let nobody pay, and keep due holds of all other events, too.
 *
 * Of requests, holds and what becomes of them the planner knows nothing, and joins two such sets by comparing each row
 * with each. So what comes later waits for a lock by reading how many rows were locked, not by a join with them.
 */

/** A field that is left out stays as it is. */
export interface QuotaChanges {
  name?: string;
  capacity?: number;
}

/** What a look at some of the counters found. */
export interface Drift {
  /** Where the next look goes on; 0 after the last event. */
  lastEventId: number;
  /** Held seats too many or too few. */
  seats: number;
  /** The events whose counters are wrong. */
  eventIds: string[];
}

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
  /** Ids of orders that are locked. */
  leftOut: number[];
}

/** What a look for due holds came to. */
export interface Released {
  lookedAt: Date;
  /** How late each of the holds was ended. */
  lateSeconds: number[];
}

/** What was sold of an event whose counters are locked. */
export interface Sales {
  /** The counter of all its places. */
  quotaId: number;
  /** There was an order at some time, whatever became of it. */
  hasOrders: boolean;
  /** A ticket type has a price. */
  hasPrices: boolean;
}

@Injectable()
export class InventoryRepository {
  constructor(
    @InjectRepository(Quota) private readonly repository: Repository<Quota>,
    private readonly statements: Statements,
    private readonly networks: NetworkKeys,
  ) {}

  /** @returns the id of the quota */
  async insert(quota: Pick<Quota, 'eventId' | 'kind' | 'capacity'> & Partial<Quota>): Promise<number> {
    const { identifiers } = await this.repository.insert(quota);
    return Number(identifiers[0]?.id);
  }

  async count(eventId: number): Promise<number> {
    const [counted] = await this.statements.run<{ number: number }>(COUNT_ALL_QUOTAS, [eventId]);
    return counted?.number ?? 0;
  }

  async lockQuotas(eventId: number): Promise<Sales | undefined> {
    const [quota] = await this.statements.run<{ id: number }>(LOCK_QUOTAS, [eventId]);
    // With a snapshot of its own, which has all that was committed before the lock.
    const [sales] = await this.statements.run<Omit<Sales, 'quotaId'>>(FIND_SALES, [eventId]);
    return quota && ({ ...sales, quotaId: quota.id } as Sales);
  }

  async deleteQuotas(eventId: number): Promise<void> {
    await this.statements.run(DELETE_QUOTAS, [eventId]);
  }

  /** Locks a counter until the transaction ends. */
  async lock(id: number): Promise<Pick<Quota, 'held' | 'sold'> | undefined> {
    const [quota] = await this.statements.run<Pick<Quota, 'held' | 'sold'>>(LOCK_QUOTA, [id]);
    return quota;
  }

  async change(id: number, { name, capacity }: QuotaChanges): Promise<void> {
    await this.statements.run(CHANGE_QUOTA, [id, name ?? null, capacity ?? null]);
  }

  /** Locks the places of an event, and has orders that wait for them ask anew. */
  async outdateOrders(eventId: number): Promise<void> {
    await this.statements.run(OUTDATE_ORDERS, [eventId]);
  }

  async deleteUnusedQuota(eventId: number, id: number): Promise<void> {
    await this.statements.run(DELETE_UNUSED_QUOTA, [eventId, id]);
  }

  /** Looks at the newest `most` orders of the event; where there are more, what it does not see counts as found. */
  async hasOrders(eventId: number, ticketTypeId: number, most: number): Promise<boolean> {
    const [look] = await this.statements.run<{ isFound: boolean }>(FIND_ORDERS_OF_TYPE, [
      eventId,
      ticketTypeId,
      most,
    ]);
    return look?.isFound ?? false;
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
    const values = [
      requests.map(({ userId }) => userId),
      requests.map(({ eventId }) => eventId),
      requests.map(({ issuedAt }) => issuedAt ?? null),
      requests.map(({ code }) => code ?? null),
      requests.map(({ contact }) => contact?.name ?? null),
      requests.map(({ contact }) => contact?.email ?? null),
      requests.map(({ metadata }) => (metadata ? JSON.stringify(metadata) : null)),
      ...itemValues(requests),
      holdSeconds,
      limit,
      coolDownSeconds,
      patienceMs,
      requests.map(({ dueSince }) => (dueSince instanceof Date ? dueSince.getTime() : null)),
      requests.map(({ network }) => this.networks.keyOf(network)),
      networkLimit,
    ];
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
    const values = [
      requests.map(({ orderId }) => orderId),
      requests.map(({ ticketId }) => ticketId ?? null),
      requests.map(({ target }) => target),
      requests.map(({ scope }) => buyerIn(scope)),
      requests.map(({ scope }) => issuedAtIn(scope)),
      requests.map(({ tender }) => tender ?? null),
      requests.map(({ reference }) => reference ?? null),
      stuckEventIds,
      patienceMs,
      requests.map(({ scope }) => scope.by === 'party'),
    ];
    const claims = requests.map(({ claim }) => claim);
    if (!claims.some(Boolean)) return await this.statements.run<ResolveAnswer>(RESOLVE_HOLDS, values);
    const keyed = [...values, ...keyValues(claims)];
    return withDates(await this.statements.run<Keyed<ResolveAnswer>>(RESOLVE_KEYED_HOLDS, keyed));
  }

  /** Ends what is due of all events, at most `limit` holds. */
  async releaseDueHolds({ limit, since, leftOut }: Due, patienceMs: number): Promise<Released & FoundOnWalk> {
    const values = [limit, since, leftOut, patienceMs];
    const [found] = await this.statements.run<Released & FoundOnWalk>(RELEASE_DUE_HOLDS, values);
    return found as Released & FoundOnWalk;
  }

  /** Of the holds that `releaseDueHolds` would end. */
  async findEventsOfDueHolds({ limit, since, leftOut }: Due): Promise<number[]> {
    const rows = await this.statements.run<{ id: number }>(EVENTS_OF_DUE_HOLDS, [limit, since, leftOut]);
    return rows.map(({ id }) => id);
  }

  /**
   * Ends what is due of some events.
   *
   * @returns beside: those of the events that have free places again, the orders that were skipped, whether there were
   *   fewer holds than `limit`, and since when the first of those it left is due
   */
  async releaseDueHoldsOf(
    { eventIds, since, limit, leftOut }: DueOfEvents,
    { patienceMs, isWaiting }: { patienceMs: number; isWaiting: boolean },
  ): Promise<Released & Found & { eventIds: number[]; skippedIds: number[]; isAll: boolean }> {
    const statement = isWaiting ? RELEASE_DUE_HOLDS_OF_EVENTS : RELEASE_UNLOCKED_HOLDS_OF_EVENTS;
    const [found] = await this.statements.run<
      Released & Found & { eventIds: string[]; skippedIds: string[]; isAll: boolean }
    >(statement, [eventIds, limit, since, leftOut, patienceMs]);
    return {
      ...(found as Released & Found & { isAll: boolean }),
      eventIds: found?.eventIds.map(Number) ?? [],
      skippedIds: found?.skippedIds.map(Number) ?? [],
    };
  }

  async sampleDrift(eventIds: string[], lastEventId: number, limit: number): Promise<Drift> {
    const [drift] = await this.statements.run<Drift>(SAMPLE_DRIFT, [eventIds, lastEventId, limit]);
    return drift as Drift;
  }
}

/** Of every item of every request: which request it belongs to and where in it, and what it asks for. */
function itemValues(requests: readonly HoldRequest[]): unknown[] {
  const items = requests.flatMap(({ items }) => items);
  const ns: number[] = [];
  const ats: number[] = [];
  const befores: number[] = [];
  requests.forEach(({ items }, i) => {
    let before = 0;
    items.forEach(({ quantity }, at) => {
      ns.push(i + 1);
      ats.push(at);
      befores.push(before);
      before += quantity;
    });
  });
  return [
    ns,
    ats,
    befores,
    items.map(({ ticketTypeId }) => ticketTypeId),
    items.map(({ quantity }) => quantity),
    items.map(({ attendees }) => (attendees ? JSON.stringify(attendees) : null)),
  ];
}
