import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { createBatcher } from '../common/batcher';
import { ANSWER_WITHIN_MS, unanswered } from '../common/requests-in-flight';
import { Problem } from '../common/problem';
import { batches, releases, type Release, type ReleaseTrigger } from '../common/telemetry';
import { Settings } from '../config/settings';
import { AmbientTransaction } from '../database/ambient-transaction';
import { isUnavailable } from '../database/database-error';
import {
  InventoryRepository,
  type Drift,
  type ReserveAnswer,
  type ReserveRequest,
  type SeatTicket,
  type SettleAnswer,
  type SettleRequest,
} from './inventory.repository';

const BATCH = { maxSize: 128, isFatal: isUnavailable, patienceMs: ANSWER_WITHIN_MS, tooLate: unanswered };
/** Holds ended by one statement: many, for it locks the seats only at its end, and each statement waits its turn there. */
const RELEASE_SIZE = 2_000;

/**
 * Where seats change hands. Concurrent calls share statements; each caller gets an answer of its own. A call that is
 * part of a transaction has its statements to itself.
 */
@Injectable()
export class InventoryService {
  constructor(
    private readonly repository: InventoryRepository,
    private readonly transaction: AmbientTransaction,
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
  reserve(request: ReserveRequest): Promise<SeatTicket> {
    return this.transaction.runner ? this.reserveAlone(request) : this.reserveTogether(request);
  }

  /**
   * Turns a live hold into a sale, or gives its seat back.
   *
   * @throws {Problem} `ticket_not_found`, `ticket_not_payable` or `ticket_not_cancellable`
   */
  settle(request: SettleRequest): Promise<SeatTicket> {
    return this.transaction.runner ? this.settleAlone(request) : this.settleTogether(request);
  }

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

  private readonly reserveTogether = createBatcher<ReserveRequest, SeatTicket>(
    async (requests) =>
      (await batches.tracePromise(() => this.reserveAll(requests), { name: 'reserve', requests })).map(
        reserved,
      ),
    BATCH,
  );

  private readonly settleTogether = createBatcher<SettleRequest, SeatTicket>(
    async (requests) =>
      await batches.tracePromise(() => this.settleAll(requests), { name: 'settle', requests }),
    BATCH,
  );

  /**
   * A transaction keeps its locks, and tickets are locked before inventory: what is due is released first, whether or
   * not its place will be needed.
   */
  private async reserveAlone(request: ReserveRequest): Promise<SeatTicket> {
    await this.releaseDueOf([request.eventId]);
    const [answer] = await this.repository.reserve([request], ...this.terms);
    return unwrap(reserved(answer as ReserveAnswer));
  }

  private async settleAlone(request: SettleRequest): Promise<SeatTicket> {
    const [answer] = await this.settleAll([request]);
    return unwrap(answer as SeatTicket | Problem);
  }

  private async settleAll(requests: readonly SettleRequest[]): Promise<(SeatTicket | Problem)[]> {
    const answers = await this.repository.settle(requests);
    return answers.map((answer, i) => settled(answer, requests[i]?.target));
  }

  /** Before anyone is told "sold out", the holds of that event that are due give their seats back. */
  private async reserveAll(requests: readonly ReserveRequest[]): Promise<ReserveAnswer[]> {
    const answers = await this.repository.reserve(requests, ...this.terms);
    const soldOut = answers.filter(isSoldOut).map((answer) => answer.eventId);
    if (soldOut.length === 0) return answers;
    const released = new Set(await this.releaseDueOf([...new Set(soldOut)]));
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

  /** @returns those of the events that have free seats again */
  private async releaseDueOf(eventIds: number[]): Promise<number[]> {
    const { eventIds: freed, lateSeconds } = await this.repository.releaseDueOf(eventIds, RELEASE_SIZE);
    if (lateSeconds.length > 0) releases.publish({ trigger: 'reservation', lateSeconds } satisfies Release);
    return freed;
  }

  private get terms(): [holdSeconds: number, limit: number, coolDownSeconds: number] {
    const { HOLD_SECONDS, MAX_HOLDS_PER_USER_EVENT, HOLD_COOL_DOWN_SECONDS } = this.settings;
    return [HOLD_SECONDS, MAX_HOLDS_PER_USER_EVENT, HOLD_COOL_DOWN_SECONDS];
  }
}

function unwrap(answer: SeatTicket | Problem): SeatTicket {
  if (answer instanceof Problem) throw answer;
  return answer;
}

const reserved = ({ refusal, retryAfter, ...ticket }: ReserveAnswer): SeatTicket | Problem => {
  if (refusal === null) return ticket;
  const isTooEarly = refusal === 'hold_cool_down';
  return new Problem(refusal, undefined, isTooEarly ? { 'Retry-After': String(retryAfter) } : {});
};

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
