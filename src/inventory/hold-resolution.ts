import { Injectable } from '@nestjs/common';
import { createBatcher } from '../database/batcher';
import { createLanes } from '../database/lanes';
import { Problem } from '../problems/problem';
import { batches } from '../telemetry/channels';
import {
  InventoryRepository,
  type Keyed,
  type ResolveAnswer,
  type ResolveRequest,
  type SeatTicket,
} from './inventory.repository';
import { StuckRows } from './stuck-rows';
import { BATCH, LANE_PATIENCE_MS, LANES, PATIENCE_MS, workAround } from './retry-without-stuck-rows';

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
  ): Promise<(SeatTicket | Error | Obstacle)[]> {
    const answers = await workAround(requests, {
      work: (some) => this.repository.resolveHolds(some, this.stuck.eventIds, PATIENCE_MS),
      look: (some) => this.stuck.lookAtTickets([...new Set(some.map(({ ticketId }) => ticketId))]),
      isStuck: ({ ticketId }) => this.stuck.hasTicket(ticketId),
    });
    return answers.map((answer, i): SeatTicket | Error | Obstacle => {
      const request = requests[i] as ResolveRequest;
      if (!answer) return `ticket ${request.ticketId}`;
      return answer.stuckEventId === null ? outcomeOf(answer, request) : `event ${answer.stuckEventId}`;
    });
  }

  private async resolvePatiently(requests: readonly ResolveRequest[]): Promise<(SeatTicket | Error)[]> {
    const answers = await this.repository.resolveHolds(requests, [], LANE_PATIENCE_MS);
    return answers.map((answer, i) => outcomeOf(answer, requests[i] as ResolveRequest));
  }
}

function outcomeOf(answer: Keyed<ResolveAnswer>, { target, claim }: ResolveRequest): SeatTicket | Error {
  try {
    const ticket = claim ? claim.settle<ResolveAnswer>(answer, answer) : answer;
    if (ticket.id === null) return new Problem('ticket_not_found');
    if (ticket.isChanged) return ticket;
    // A client whose first answer was lost learns here how that request ended.
    const { status, paidAt } = ticket;
    const members = { ticket_status: status, ...(paidAt && { paid_at: paidAt }) };
    return new Problem(target === 'paid' ? 'ticket_not_payable' : 'ticket_not_cancellable', { members });
  } catch (error) {
    return error as Error;
  }
}
