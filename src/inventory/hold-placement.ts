import { Injectable } from '@nestjs/common';
import { createBatcher } from '../database/batcher';
import { createLanes } from '../database/lanes';
import { Settings } from '../config/settings';
import { batches } from '../telemetry/channels';
import { DueHolds } from './due-holds';
import { isPassing, type HeldOrder, type HoldAnswer, type HoldRequest } from './held-order';
import { outcomeOf } from './hold-refusal';
import { InventoryRepository } from './inventory.repository';
import type { Keyed } from './kept-outcome';
import { OrderCodes } from './order-codes';
import { StuckRows } from './stuck-rows';
import { BATCH, LANE_PATIENCE_MS, LANES, PATIENCE_MS, workAround } from './retry-without-stuck-rows';

/** An answer per request; undefined where its event is stuck. */
type Place = (
  requests: readonly HoldRequest[],
  isLastTry: boolean,
) => Promise<(Keyed<HoldAnswer> | undefined)[]>;

/** Holds places for many at once: concurrent requests share statements, and each gets an answer of its own. */
@Injectable()
export class HoldPlacement {
  constructor(
    private readonly repository: InventoryRepository,
    private readonly dueHolds: DueHolds,
    private readonly stuck: StuckRows,
    private readonly codes: OrderCodes,
    private readonly settings: Settings,
  ) {}

  /** @throws {Problem} as `InventoryService.holdPlaces` does */
  async place(request: HoldRequest): Promise<HeldOrder> {
    const { eventId } = request;
    request.dueSince = this.dueHolds.sinceOf(eventId);
    const order = this.stuck.hasEvent(eventId) ? undefined : await this.together(request);
    return order ?? (await this.inLane(eventId, request));
  }

  private readonly together = createBatcher<HoldRequest, HeldOrder | undefined>(
    (requests) => this.traced(requests, this.placeUnlessStuck, PATIENCE_MS),
    BATCH,
  );

  private readonly inLane = createLanes<number, HoldRequest, HeldOrder>(async (requests, eventId) => {
    const outcomes = await this.traced(requests, this.placePatiently, LANE_PATIENCE_MS);
    await this.stuck.lookAgainAtEvent(eventId);
    return outcomes as (HeldOrder | Error)[];
  }, LANES);

  private readonly placeUnlessStuck: Place = (requests, isLastTry) =>
    workAround(requests, {
      work: (some) => this.repository.placeHolds(some, ...this.holdPolicy, PATIENCE_MS, isLastTry),
      look: (some) => this.stuck.lookAtEvents([...new Set(some.map(({ eventId }) => eventId))]),
      isStuck: ({ eventId }) => this.stuck.hasEvent(eventId),
    });

  private readonly placePatiently: Place = (requests, isLastTry) =>
    this.repository.placeHolds(requests, ...this.holdPolicy, LANE_PATIENCE_MS, isLastTry);

  private traced(requests: readonly HoldRequest[], place: Place, patienceMs: number) {
    const work = () => this.placeOrRelease(requests, askingAnew(place), patienceMs);
    return batches.tracePromise(work, { name: 'place_holds', requests });
  }

  /**
   * Before anyone is told "sold out", the holds of that event that are due give their places back. Mostly none is, and the
   * statement that found the event sold out has seen so.
   */
  private async placeOrRelease(
    requests: readonly HoldRequest[],
    place: Place,
    patienceMs: number,
  ): Promise<(HeldOrder | Error | undefined)[]> {
    const answers = await place(requests, false);
    this.codes.prepare(answers.flatMap((answer) => answer?.id ?? []));
    const outcomes = answers.map((answer, i) => answer && outcomeOf(answer, requests[i] as HoldRequest));
    const open = this.undecided(answers, requests);
    if (open.length === 0) return outcomes;
    try {
      const eventIds = new Set(open.map((i) => (requests[i] as HoldRequest).eventId));
      const released = new Set(await this.dueHolds.releaseOf([...eventIds], patienceMs));
      // With a key, the last word is still to be kept.
      const again = open.filter((i) => {
        const { eventId, claim } = requests[i] as HoldRequest;
        return claim !== undefined || released.has(eventId);
      });
      if (again.length === 0) return outcomes;
      const requestsAgain = again.map((i) => requests[i] as HoldRequest);
      const retried = await place(requestsAgain, true);
      again.forEach((i, k) => {
        const answer = retried[k];
        outcomes[i] = answer && outcomeOf(answer, requests[i] as HoldRequest);
      });
    } catch (error) {
      // The others have their answers: what they hold is theirs.
      for (const i of open) outcomes[i] = error as Error;
    }
    return outcomes;
  }

  /** Which requests were told "sold out" although holds of the event may be due. */
  private undecided(answers: (Keyed<HoldAnswer> | undefined)[], requests: readonly HoldRequest[]): number[] {
    const seen = new Set<number>();
    return answers.flatMap((answer, i) => {
      if (!answer || !isPassing(answer.refusal)) return [];
      if (answer.noneDueAt === null) return [i];
      const { eventId, dueSince = '-infinity' } = requests[i] as HoldRequest;
      if (!seen.has(eventId)) this.dueHolds.sawNoneDue(eventId, dueSince, new Date(answer.noneDueAt));
      seen.add(eventId);
      return [];
    });
  }

  private get holdPolicy(): [
    holdSeconds: number,
    limit: number,
    coolDownSeconds: number,
    networkLimit: number,
  ] {
    const { HOLD_SECONDS, MAX_HOLDS_PER_USER_EVENT, HOLD_COOL_DOWN_SECONDS, MAX_HOLDS_PER_NETWORK_EVENT } =
      this.settings;
    return [HOLD_SECONDS, MAX_HOLDS_PER_USER_EVENT, HOLD_COOL_DOWN_SECONDS, MAX_HOLDS_PER_NETWORK_EVENT];
  }
}

/** Asks once more for what has changed its quotas while the statement waited for them. */
const askingAnew =
  (place: Place): Place =>
  async (requests, isLastTry) => {
    const answers = await place(requests, isLastTry);
    const outdated = answers.flatMap((answer, i) => (answer?.refusal === 'outdated' ? [i] : []));
    if (outdated.length === 0) return answers;
    try {
      const anew = await place(
        outdated.map((i) => requests[i] as HoldRequest),
        isLastTry,
      );
      outdated.forEach((i, k) => (answers[i] = anew[k]));
    } catch {
      // The others have their answers: what they hold is theirs. These are told to come again.
    }
    return answers;
  };
