import { Injectable } from '@nestjs/common';
import { createBatcher } from '../database/batcher';
import { ANSWER_WITHIN_MS, unanswered } from '../http/request-deadline';
import { Problem } from '../problems/problem';
import { batches, releases, type Release, type ReleaseTrigger } from '../telemetry/channels';
import { Settings } from '../config/settings';
import { Transactions } from '../database/transactions';
import { isUnavailable } from '../database/database-error';
import {
  InventoryRepository,
  type Drift,
  type HoldAnswer,
  type HoldRequest,
  type SeatTicket,
  type ResolveAnswer,
  type ResolveRequest,
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
    private readonly transactions: Transactions,
    private readonly settings: Settings,
  ) {}

  /** Puts the seats of a new event up for sale, in the transaction that creates the event. */
  async createQuota(eventId: number, capacity: number): Promise<void> {
    await this.repository.insert(eventId, capacity);
  }

  /**
   * Holds one seat for `HOLD_SECONDS`.
   *
   * @throws {Problem} `user_not_found`, `event_not_found`, `event_ended`, `event_sold_out`, `hold_limit_reached` or
   *   `hold_cool_down` (with `Retry-After`)
   */
  holdPlace(request: HoldRequest): Promise<SeatTicket> {
    return this.transactions.runner ? this.holdAlone(request) : this.holdTogether(request);
  }

  /**
   * Turns a live hold into a sale, or gives its seat back.
   *
   * @throws {Problem} `ticket_not_found`, `ticket_not_payable` or `ticket_not_cancellable`
   */
  resolveHold(request: ResolveRequest): Promise<SeatTicket> {
    return this.transactions.runner ? this.resolveAlone(request) : this.resolveTogether(request);
  }

  /**
   * Ends every hold that is due and gives its seat back; safe to call from anywhere, any number of times.
   *
   * @returns how many holds were ended
   */
  async releaseDueHolds(trigger: ReleaseTrigger): Promise<number> {
    let total = 0;
    for (let released = RELEASE_SIZE; released === RELEASE_SIZE; total += released) {
      const lateSeconds = await this.repository.releaseDueHolds(RELEASE_SIZE);
      released = lateSeconds.length;
      if (released > 0) releases.publish({ trigger, lateSeconds } satisfies Release);
    }
    return total;
  }

  /** Compares the held seats of some events with their tickets, bounded to be cheap; `npm run doctor` compares all. */
  async sampleDrift(eventIds: string[], lastEventId: number, limit: number): Promise<Drift> {
    return await this.repository.sampleDrift(eventIds, lastEventId, limit);
  }

  private readonly holdTogether = createBatcher<HoldRequest, SeatTicket>(
    async (requests) =>
      (await batches.tracePromise(() => this.holdAll(requests), { name: 'place_holds', requests })).map(
        heldOrRefused,
      ),
    BATCH,
  );

  private readonly resolveTogether = createBatcher<ResolveRequest, SeatTicket>(
    async (requests) =>
      await batches.tracePromise(() => this.resolveAll(requests), { name: 'resolve_holds', requests }),
    BATCH,
  );

  /**
   * A transaction keeps its locks, and tickets are locked before inventory: what is due is released first, whether or
   * not its place will be needed.
   */
  private async holdAlone(request: HoldRequest): Promise<SeatTicket> {
    await this.releaseDueHoldsOf([request.eventId]);
    const [answer] = await this.repository.placeHolds([request], ...this.holdPolicy);
    return unwrap(heldOrRefused(answer as HoldAnswer));
  }

  private async resolveAlone(request: ResolveRequest): Promise<SeatTicket> {
    const [answer] = await this.resolveAll([request]);
    return unwrap(answer as SeatTicket | Problem);
  }

  private async resolveAll(requests: readonly ResolveRequest[]): Promise<(SeatTicket | Problem)[]> {
    const answers = await this.repository.resolveHolds(requests);
    return answers.map((answer, i) => resolvedOrRefused(answer, requests[i]?.target));
  }

  /** Before anyone is told "sold out", the holds of that event that are due give their seats back. */
  private async holdAll(requests: readonly HoldRequest[]): Promise<HoldAnswer[]> {
    const answers = await this.repository.placeHolds(requests, ...this.holdPolicy);
    const soldOut = answers.filter(isSoldOut).map((answer) => answer.eventId);
    if (soldOut.length === 0) return answers;
    const released = new Set(await this.releaseDueHoldsOf([...new Set(soldOut)]));
    const again = answers.flatMap((answer, i) =>
      isSoldOut(answer) && released.has(answer.eventId) ? [i] : [],
    );
    if (again.length === 0) return answers;
    const retried = await this.repository.placeHolds(
      again.map((i) => requests[i] as HoldRequest),
      ...this.holdPolicy,
    );
    again.forEach((i, k) => (answers[i] = retried[k] as HoldAnswer));
    return answers;
  }

  /** @returns those of the events that have free seats again */
  private async releaseDueHoldsOf(eventIds: number[]): Promise<number[]> {
    const { eventIds: freed, lateSeconds } = await this.repository.releaseDueHoldsOf(eventIds, RELEASE_SIZE);
    const release: Release = { trigger: 'reservation', lateSeconds };
    if (lateSeconds.length > 0) this.transactions.afterCommit(() => releases.publish(release));
    return freed;
  }

  private get holdPolicy(): [holdSeconds: number, limit: number, coolDownSeconds: number] {
    const { HOLD_SECONDS, MAX_HOLDS_PER_USER_EVENT, HOLD_COOL_DOWN_SECONDS } = this.settings;
    return [HOLD_SECONDS, MAX_HOLDS_PER_USER_EVENT, HOLD_COOL_DOWN_SECONDS];
  }
}

function unwrap(answer: SeatTicket | Problem): SeatTicket {
  if (answer instanceof Problem) throw answer;
  return answer;
}

const heldOrRefused = ({ refusal, retryAfter, ...ticket }: HoldAnswer): SeatTicket | Problem => {
  if (refusal === null) return ticket;
  const isTooEarly = refusal === 'hold_cool_down';
  return new Problem(refusal, isTooEarly ? { headers: { 'Retry-After': String(retryAfter) } } : {});
};

const isSoldOut = ({ refusal }: HoldAnswer) => refusal === 'event_sold_out';

function resolvedOrRefused(
  { found, ...ticket }: ResolveAnswer,
  target: ResolveRequest['target'] | undefined,
): SeatTicket | Problem {
  if (!found) return new Problem('ticket_not_found');
  if (ticket.id === null)
    return new Problem(target === 'paid' ? 'ticket_not_payable' : 'ticket_not_cancellable');
  return ticket;
}
