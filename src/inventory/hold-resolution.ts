import { Injectable } from '@nestjs/common';
import { createBatcher } from '../database/batcher';
import { createLanes } from '../database/lanes';
import { Problem } from '../problems/problem';
import { batches } from '../telemetry/channels';
import {
  InventoryRepository,
  type ResolveAnswer,
  type ResolveRequest,
  type SeatTicket,
} from './inventory.repository';
import { StuckRows } from './stuck-rows';
import { BATCH, LANE_PATIENCE_MS, LANES, PATIENCE_MS, workAround } from './work-around';

/** What keeps a request from being worked off with the others; it is the key of a lane. */
type Obstacle = `event ${number}` | `ticket ${number}`;

/** Turns live holds into sales, or gives their places back, for many at once. */
@Injectable()
export class HoldResolution {
  constructor(
    private readonly repository: InventoryRepository,
    private readonly stuck: StuckRows,
  ) {}

  /** @throws {Problem} as `InventoryService.resolveHold` does */
  async resolve(request: ResolveRequest): Promise<SeatTicket> {
    const { ticketId } = request;
    const ticket = this.stuck.hasTicket(ticketId)
      ? (`ticket ${ticketId}` as const)
      : await this.together(request);
    return typeof ticket === 'string' ? await this.inLane(ticket, request) : ticket;
  }

  /** The same as a part of a transaction. */
  async resolveAlone(request: ResolveRequest): Promise<SeatTicket> {
    const [ticket] = await this.resolvePatiently([request]);
    if (ticket instanceof Problem) throw ticket;
    return ticket as SeatTicket;
  }

  private readonly together = createBatcher<ResolveRequest, SeatTicket | Obstacle>(
    (requests) =>
      batches.tracePromise(() => this.resolveUnlessStuck(requests), { name: 'resolve_holds', requests }),
    BATCH,
  );

  private readonly inLane = createLanes<Obstacle, ResolveRequest, SeatTicket>(async (requests, obstacle) => {
    const work = () => this.resolvePatiently(requests);
    const outcomes = await batches.tracePromise(work, { name: 'resolve_holds', requests });
    const [kind, id] = obstacle.split(' ');
    if (kind === 'event') await this.stuck.lookAtEvents([Number(id)]);
    else this.stuck.forgetTicket(Number(id));
    return outcomes;
  }, LANES);

  private async resolveUnlessStuck(
    requests: readonly ResolveRequest[],
  ): Promise<(SeatTicket | Problem | Obstacle)[]> {
    const answers = await workAround(requests, {
      work: (some) => this.repository.resolveHolds(some, this.stuck.eventIds, PATIENCE_MS),
      look: (some) => this.stuck.lookAtTickets([...new Set(some.map(({ ticketId }) => ticketId))]),
      isStuck: ({ ticketId }) => this.stuck.hasTicket(ticketId),
    });
    return answers.map((answer, i): SeatTicket | Problem | Obstacle => {
      const request = requests[i] as ResolveRequest;
      if (!answer) return `ticket ${request.ticketId}`;
      return answer.stuckEventId === null ? ticketOrRefusal(answer, request) : `event ${answer.stuckEventId}`;
    });
  }

  private async resolvePatiently(requests: readonly ResolveRequest[]): Promise<(SeatTicket | Problem)[]> {
    const answers = await this.repository.resolveHolds(requests, [], LANE_PATIENCE_MS);
    return answers.map((answer, i) => ticketOrRefusal(answer, requests[i] as ResolveRequest));
  }
}

function ticketOrRefusal(answer: ResolveAnswer, { target }: ResolveRequest): SeatTicket | Problem {
  if (answer.id === null) return new Problem('ticket_not_found');
  if (answer.isChanged) return answer;
  // A client whose first answer was lost learns here how that request ended.
  const { status, paidAt } = answer;
  const members = { ticket_status: status, ...(paidAt && { paid_at: paidAt }) };
  return new Problem(target === 'paid' ? 'ticket_not_payable' : 'ticket_not_cancellable', { members });
}
