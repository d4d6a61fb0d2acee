import { Injectable } from '@nestjs/common';
import { createBatcher } from '../database/batcher';
import { createLanes } from '../database/lanes';
import { Settings } from '../config/settings';
import { Problem } from '../problems/problem';
import { batches } from '../telemetry/channels';
import { DueHolds } from './due-holds';
import {
  InventoryRepository,
  type HoldAnswer,
  type HoldRequest,
  type SeatTicket,
} from './inventory.repository';
import { StuckRows } from './stuck-rows';
import { BATCH, LANE_PATIENCE_MS, LANES, PATIENCE_MS, workAround } from './work-around';

/** An answer per request; undefined where its event is stuck. */
type Place = (requests: readonly HoldRequest[]) => Promise<(HoldAnswer | undefined)[]>;

/** Holds places for many at once: concurrent requests share statements, and each gets an answer of its own. */
@Injectable()
export class HoldPlacement {
  constructor(
    private readonly repository: InventoryRepository,
    private readonly dueHolds: DueHolds,
    private readonly stuck: StuckRows,
    private readonly settings: Settings,
  ) {}

  /** @throws {Problem} as `InventoryService.holdPlace` does */
  async place(request: HoldRequest): Promise<SeatTicket> {
    const { eventId } = request;
    const ticket = this.stuck.hasEvent(eventId) ? undefined : await this.together(request);
    return ticket ?? (await this.inLane(eventId, request));
  }

  /**
   * The same as a part of a transaction. It keeps its locks, and tickets are locked before inventory: what is due is
   * released first, whether or not its place will be needed.
   */
  async placeAlone(request: HoldRequest): Promise<SeatTicket> {
    await this.dueHolds.releaseOf([request.eventId], LANE_PATIENCE_MS);
    const [answer] = await this.placePatiently([request]);
    const ticket = ticketOrRefusal(answer as HoldAnswer);
    if (ticket instanceof Problem) throw ticket;
    return ticket;
  }

  private readonly together = createBatcher<HoldRequest, SeatTicket | undefined>(
    (requests) => this.traced(requests, (requests) => this.placeUnlessStuck(requests), PATIENCE_MS),
    BATCH,
  );

  private readonly inLane = createLanes<number, HoldRequest, SeatTicket>(async (requests, eventId) => {
    const outcomes = await this.traced(
      requests,
      (requests) => this.placePatiently(requests),
      LANE_PATIENCE_MS,
    );
    await this.stuck.lookAtEvents([eventId]);
    return outcomes as (SeatTicket | Error)[];
  }, LANES);

  private placeUnlessStuck(requests: readonly HoldRequest[]): Promise<(HoldAnswer | undefined)[]> {
    return workAround(requests, {
      work: (some) => this.repository.placeHolds(some, ...this.holdPolicy, PATIENCE_MS),
      look: (some) => this.stuck.lookAtEvents([...new Set(some.map(({ eventId }) => eventId))]),
      isStuck: ({ eventId }) => this.stuck.hasEvent(eventId),
    });
  }

  private placePatiently(requests: readonly HoldRequest[]): Promise<HoldAnswer[]> {
    return this.repository.placeHolds(requests, ...this.holdPolicy, LANE_PATIENCE_MS);
  }

  private traced(requests: readonly HoldRequest[], place: Place, patienceMs: number) {
    const work = () => this.placeOrRelease(requests, place, patienceMs);
    return batches.tracePromise(work, { name: 'place_holds', requests });
  }

  /** Before anyone is told "sold out", the holds of that event that are due give their places back. */
  private async placeOrRelease(
    requests: readonly HoldRequest[],
    place: Place,
    patienceMs: number,
  ): Promise<(SeatTicket | Error | undefined)[]> {
    const answers = await place(requests);
    const outcomes: (SeatTicket | Error | undefined)[] = answers.map(
      (answer) => answer && ticketOrRefusal(answer),
    );
    const soldOut = answers.flatMap((answer, i) => (answer?.refusal === 'event_sold_out' ? [i] : []));
    if (soldOut.length === 0) return outcomes;
    try {
      const eventIds = new Set(soldOut.map((i) => (requests[i] as HoldRequest).eventId));
      const released = new Set(await this.dueHolds.releaseOf([...eventIds], patienceMs));
      const again = soldOut.filter((i) => released.has((requests[i] as HoldRequest).eventId));
      if (again.length === 0) return outcomes;
      const retried = await place(again.map((i) => requests[i] as HoldRequest));
      again.forEach((i, k) => (outcomes[i] = retried[k] && ticketOrRefusal(retried[k])));
    } catch (error) {
      // The others have their answers: what they hold is theirs.
      for (const i of soldOut) outcomes[i] = error as Error;
    }
    return outcomes;
  }

  private get holdPolicy(): [holdSeconds: number, limit: number, coolDownSeconds: number] {
    const { HOLD_SECONDS, MAX_HOLDS_PER_USER_EVENT, HOLD_COOL_DOWN_SECONDS } = this.settings;
    return [HOLD_SECONDS, MAX_HOLDS_PER_USER_EVENT, HOLD_COOL_DOWN_SECONDS];
  }
}

function ticketOrRefusal({ refusal, retryAfter, ...ticket }: HoldAnswer): SeatTicket | Problem {
  if (refusal === null) return ticket;
  const isTooEarly = refusal === 'hold_cool_down';
  return new Problem(refusal, isTooEarly ? { headers: { 'Retry-After': String(retryAfter) } } : {});
}
