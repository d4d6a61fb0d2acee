import { createBatcher } from '../database/batcher';
import { createLanes } from '../database/lanes';
import { batches, type Batch } from '../telemetry/channels';
import type { OrderName } from './held-order';
import { BATCH, LANE_PATIENCE_MS, LANES, PATIENCE_MS, workAround } from './retry-without-stuck-rows';
import type { StuckRows } from './stuck-rows';

/** What keeps a request from being worked off with the others; it is the key of a lane. */
type Obstacle = `event ${number}` | `order ${number}` | `ticket ${number}`;

interface OrderWork<Request, Answer, Outcome> {
  name: Batch['name'];
  /**
   * A statement for many: one answer per request, in the order of the requests. It leaves what needs the counters of the
   * events in `stuckEventIds`, and answers which one it was.
   */
  run: (requests: readonly Request[], stuckEventIds: number[], patienceMs: number) => Promise<Answer[]>;
  outcomeOf: (answer: Answer, request: Request) => Outcome | Error;
}

/**
 * Has concurrent requests, each about an order, share statements. A request whose order or event somebody keeps locked waits
 * in a lane of its own.
 */
export function createOrderBatcher<
  Request extends OrderName,
  Answer extends { stuckEventId: number | null },
  Outcome extends object,
>(
  stuck: StuckRows,
  { name, run, outcomeOf }: OrderWork<Request, Answer, Outcome>,
): (request: Request) => Promise<Outcome> {
  async function runUnlessStuck(requests: readonly Request[]): Promise<(Outcome | Error | Obstacle)[]> {
    const answers = await workAround(requests, {
      work: (some) => run(some, stuck.eventIds, PATIENCE_MS),
      look: (some) => stuck.lookAtOrders(some),
      isStuck: stuck.hasOrder,
    });
    return answers.map((answer, i): Outcome | Error | Obstacle => {
      const request = requests[i] as Request;
      if (!answer) return obstacleOf(request);
      return answer.stuckEventId === null ? outcomeOf(answer, request) : `event ${answer.stuckEventId}`;
    });
  }

  async function runPatiently(requests: readonly Request[]): Promise<(Outcome | Error)[]> {
    const answers = await run(requests, [], LANE_PATIENCE_MS);
    return answers.map((answer, i) => outcomeOf(answer, requests[i] as Request));
  }

  const together = createBatcher<Request, Outcome | Obstacle>(
    (requests) => batches.tracePromise(() => runUnlessStuck(requests), { name, requests }),
    BATCH,
  );
  const inLane = createLanes<Obstacle, Request, Outcome>(async (requests, obstacle) => {
    const outcomes = await batches.tracePromise(() => runPatiently(requests), { name, requests });
    const [kind, id] = obstacle.split(' ');
    if (kind === 'event') await stuck.lookAgainAtEvent(Number(id));
    else for (const request of requests) stuck.forgetOrder(request);
    return outcomes;
  }, LANES);

  return async (request) => {
    const outcome = stuck.hasOrder(request) ? obstacleOf(request) : await together(request);
    return typeof outcome === 'string' ? await inLane(outcome, request) : outcome;
  };
}

const obstacleOf = ({ orderId, ticketId }: OrderName): Obstacle =>
  orderId === null ? `ticket ${ticketId}` : `order ${orderId}`;
