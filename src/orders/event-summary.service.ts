import { Injectable } from '@nestjs/common';
import { Semaphore } from 'async-mutex';
import { LRUCache } from 'lru-cache';
import type { OrganizerScope } from '../database/scope';
import { Statements } from '../database/statements';
import { EventAccessService, type OrganizedEvent } from '../event-access/event-access.service';
import type { TicketStatus } from '../inventory/ticket-status';
import { COUNT_SOME_ORDERS, NAMED_TYPES } from './event-summary.statements';

/** What was sold on one day of the event's time zone, whatever became of it later. */
export interface SalesOfDay {
  date: string;
  orders: number;
  tickets: number;
  amount: number;
}

export interface EventSummary {
  countedAt: Date;
  currency: string | null;
  /** By ticket type, and by status. */
  tickets: { typeId: number; name: string; counts: Partial<Record<TicketStatus, number>> }[];
  amountPaid: number;
  amountRefunded: number;
  amountOwed: number;
  days: SalesOfDay[];
}

interface Slice {
  last: number | null;
  amountPaid: number;
  amountRefunded: number;
  amountKept: number;
  types: { type_id: number; status: TicketStatus; tickets: number }[];
  /** `since`: in milliseconds since 1970. */
  quarters: (Omit<SalesOfDay, 'date'> & { since: number })[];
}

const MOST_KEPT = 1_000;
/** An answer is given again for so many times as long as its count took. */
const KEPT_TIMES = 10;

/**
 * Counts what an event sold. A count reads all of its orders, a few thousand at a time and on the connections of lists; each
 * process has one count under way, and gives its answer again for ten times as long as it took: so summaries take no more
 * than a tenth of one connection, however large the event is and however often they are asked for.
 */
@Injectable()
export class EventSummaryService {
  private readonly turns = new Semaphore(1);
  private readonly kept = new LRUCache<number, Promise<EventSummary>>({ max: MOST_KEPT });

  constructor(
    private readonly statements: Statements,
    private readonly events: EventAccessService,
  ) {}

  /** @throws {Problem} `event_not_found`, `forbidden` */
  async get(eventId: number, scope: OrganizerScope): Promise<EventSummary> {
    const event = await this.events.requireOrganizer(eventId, scope);
    const kept = this.kept.get(eventId);
    if (kept) return await kept;
    const counted = this.turns.runExclusive(() => this.keep(eventId, event));
    this.kept.set(eventId, counted);
    // One that failed is counted anew; one that takes longer than its request is there for the next.
    counted.catch(() => this.kept.delete(eventId));
    return await counted;
  }

  private async keep(eventId: number, event: OrganizedEvent): Promise<EventSummary> {
    const begun = performance.now();
    const summary = await this.count(eventId, event);
    const ttl = Math.ceil(KEPT_TIMES * (performance.now() - begun));
    this.kept.set(eventId, Promise.resolve(summary), { ttl });
    return summary;
  }

  private async count(eventId: number, { timezone, currency }: OrganizedEvent): Promise<EventSummary> {
    const countedAt = new Date();
    const sums = { amountPaid: 0, amountRefunded: 0, amountKept: 0 };
    const types = new Map<number, Partial<Record<TicketStatus, number>>>();
    const days = new Map<string, SalesOfDay>();
    // It writes a day as ISO 8601 does.
    const calendar = new Intl.DateTimeFormat('en-CA', { timeZone: timezone });
    for (let last = 0; ;) {
      const [slice] = await this.statements.list<Slice>(COUNT_SOME_ORDERS, [eventId, last]);
      if (slice?.last == null) break;
      last = slice.last;
      for (const name of ['amountPaid', 'amountRefunded', 'amountKept'] as const) sums[name] += slice[name];
      for (const { type_id, status, tickets } of slice.types) {
        const counts = types.get(type_id) ?? {};
        types.set(type_id, { ...counts, [status]: (counts[status] ?? 0) + tickets });
      }
      for (const { since, orders, tickets, amount } of slice.quarters) {
        const date = calendar.format(since);
        const day = days.get(date) ?? { date, orders: 0, tickets: 0, amount: 0 };
        days.set(date, {
          date,
          orders: day.orders + orders,
          tickets: day.tickets + tickets,
          amount: day.amount + amount,
        });
      }
    }
    const named = await this.statements.list<{ id: number | null; name: string; isCancelled: boolean }>(
      NAMED_TYPES,
      [eventId, [...types.keys()]],
    );
    return {
      countedAt,
      currency,
      tickets: named.flatMap(({ id, name }) =>
        id === null ? [] : [{ typeId: id, name, counts: types.get(id) ?? {} }],
      ),
      amountPaid: sums.amountPaid,
      amountRefunded: sums.amountRefunded,
      amountOwed: named[0]?.isCancelled ? sums.amountKept : 0,
      days: [...days.values()].sort((a, b) => (a.date < b.date ? -1 : 1)),
    };
  }
}
