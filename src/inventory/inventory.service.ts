import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { createBatcher } from '../common/batcher';
import { Problem } from '../common/problem';
import { batches, releases, type Release, type ReleaseTrigger } from '../common/telemetry';
import { Settings } from '../config/settings';
import { isUnavailable } from '../database/database-error';
import {
  InventoryRepository,
  type Drift,
  type ReserveAnswer,
  type ReserveRefusal,
  type ReserveRequest,
  type SeatTicket,
  type SettleAnswer,
  type SettleRequest,
} from './inventory.repository';

const BATCH = { maxSize: 128, isFatal: isUnavailable };
/** Holds ended by one statement: enough to be quick, few enough not to keep reservations waiting. */
const RELEASE_SIZE = 1_000;

/** Where seats change hands. Concurrent calls share statements; each caller gets an answer of its own. */
@Injectable()
export class InventoryService {
  constructor(
    private readonly repository: InventoryRepository,
    private readonly settings: Settings,
  ) {}

  /** Puts the seats of a new event up for sale, in the transaction that creates the event. */
  async open(manager: EntityManager, eventId: number, capacity: number): Promise<void> {
    await this.repository.insert(manager, eventId, capacity);
  }

  /**
   * Holds one seat for `HOLD_SECONDS`.
   *
   * @throws {Problem} `user_not_found`, `event_not_found`, `event_ended`, `event_sold_out`, `hold_limit_reached` or
   *   `hold_cool_down` (with `Retry-After`)
   */
  readonly reserve = createBatcher<ReserveRequest, SeatTicket>(
    async (requests) =>
      (await batches.tracePromise(() => this.reserveAll(requests), { name: 'reserve', requests })).map(
        ({ refusal, retryAfter, ...ticket }) => (refusal ? refused(refusal, retryAfter) : ticket),
      ),
    BATCH,
  );

  /**
   * Turns a live hold into a sale, or gives its seat back.
   *
   * @throws {Problem} `ticket_not_found`, `ticket_not_payable` or `ticket_not_cancellable`
   */
  readonly settle = createBatcher<SettleRequest, SeatTicket>(async (requests) => {
    const answers = await batches.tracePromise(() => this.repository.settle(requests), {
      name: 'settle',
      requests,
    });
    return answers.map((answer, i) => settled(answer, requests[i]?.target));
  }, BATCH);

  /**
   * Ends every hold that is due and gives its seat back; safe to call from anywhere, any number of times.
   *
   * @returns how many holds were ended
   */
  async releaseDue(trigger: ReleaseTrigger): Promise<number> {
    let total = 0;
    for (let released = RELEASE_SIZE; released === RELEASE_SIZE; total += released) {
      const lateSeconds = await this.repository.releaseDue(RELEASE_SIZE);
      released = lateSeconds.length;
      if (released > 0) releases.publish({ trigger, lateSeconds } satisfies Release);
    }
    return total;
  }

  /** Compares the held seats of some events with their tickets, bounded to be cheap; `npm run doctor` compares all. */
  async sampleDrift(eventIds: string[], lastEventId: number, limit: number): Promise<Drift> {
    return await this.repository.sampleDrift(eventIds, lastEventId, limit);
  }

  /** Before anyone is told "sold out", the holds of that event that are due give their seats back. */
  private async reserveAll(requests: readonly ReserveRequest[]): Promise<ReserveAnswer[]> {
    const answers = await this.repository.reserve(requests, ...this.terms);
    const soldOut = answers.filter(isSoldOut).map((answer) => answer.eventId);
    if (soldOut.length === 0) return answers;
    const { eventIds, lateSeconds } = await this.repository.releaseDueOf([...new Set(soldOut)], RELEASE_SIZE);
    if (lateSeconds.length > 0) releases.publish({ trigger: 'reservation', lateSeconds } satisfies Release);
    const released = new Set(eventIds);
    const again = answers.flatMap((answer, i) =>
      isSoldOut(answer) && released.has(answer.eventId) ? [i] : [],
    );
    if (again.length === 0) return answers;
    const retried = await this.repository.reserve(
      again.map((i) => requests[i] as ReserveRequest),
      ...this.terms,
    );
    again.forEach((i, k) => (answers[i] = retried[k] as ReserveAnswer));
    return answers;
  }

  private get terms(): [holdSeconds: number, limit: number, coolDownSeconds: number] {
    const { HOLD_SECONDS, MAX_HOLDS_PER_USER_EVENT, HOLD_COOL_DOWN_SECONDS } = this.settings;
    return [HOLD_SECONDS, MAX_HOLDS_PER_USER_EVENT, HOLD_COOL_DOWN_SECONDS];
  }
}

const refused = (refusal: ReserveRefusal, retryAfter: number | null) =>
  new Problem(refusal, undefined, refusal === 'hold_cool_down' ? { 'Retry-After': String(retryAfter) } : {});

const isSoldOut = ({ refusal }: ReserveAnswer) => refusal === 'event_sold_out';

function settled(
  { found, ...ticket }: SettleAnswer,
  target: SettleRequest['target'] | undefined,
): SeatTicket | Problem {
  if (!found) return new Problem('ticket_not_found');
  if (ticket.id === null)
    return new Problem(target === 'paid' ? 'ticket_not_payable' : 'ticket_not_cancellable');
  return ticket;
}
