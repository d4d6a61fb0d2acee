import { Injectable } from '@nestjs/common';
import { createBatcher } from '../database/batcher';
import { createLanes } from '../database/lanes';
import { Problem } from '../problems/problem';
import { batches } from '../telemetry/channels';
import type { OrderName, ResolveAnswer, ResolvedOrder, ResolveRequest } from './held-order';
import { OrderCodes } from './order-codes';
import { ticketStatusOf } from './ticket-status';
import { InventoryRepository } from './inventory.repository';
import type { Keyed } from './kept-outcome';
import { StuckRows } from './stuck-rows';
import { BATCH, LANE_PATIENCE_MS, LANES, PATIENCE_MS, workAround } from './retry-without-stuck-rows';

/** What keeps a request from being worked off with the others; it is the key of a lane. */
type Obstacle = `event ${number}` | `order ${number}` | `ticket ${number}`;

/** Turns live holds into sales, or gives their places back, for many at once. */
@Injectable()
export class HoldResolution {
  constructor(
    private readonly repository: InventoryRepository,
    private readonly stuck: StuckRows,
    private readonly codes: OrderCodes,
  ) {}

  /** @throws {Problem} as `InventoryService.resolveHold` does */
  async resolve(request: ResolveRequest): Promise<ResolvedOrder> {
    const order = this.stuck.hasOrder(request) ? obstacleOf(request) : await this.together(request);
    return typeof order === 'string' ? await this.inLane(order, request) : order;
  }

  private readonly together = createBatcher<ResolveRequest, ResolvedOrder | Obstacle>(
    (requests) =>
      batches.tracePromise(() => this.resolveUnlessStuck(requests), { name: 'resolve_holds', requests }),
    BATCH,
  );

  private readonly inLane = createLanes<Obstacle, ResolveRequest, ResolvedOrder>(
    async (requests, obstacle) => {
      const work = () => this.resolvePatiently(requests);
      const outcomes = await batches.tracePromise(work, { name: 'resolve_holds', requests });
      const [kind, id] = obstacle.split(' ');
      if (kind === 'event') await this.stuck.lookAtEvents([Number(id)]);
      else for (const request of requests) this.stuck.forgetOrder(request);
      return outcomes;
    },
    LANES,
  );

  private async resolveUnlessStuck(
    requests: readonly ResolveRequest[],
  ): Promise<(ResolvedOrder | Error | Obstacle)[]> {
    const answers = await workAround(requests, {
      work: (some) => this.repository.resolveHolds(some, this.stuck.eventIds, PATIENCE_MS),
      look: (some) => this.stuck.lookAtOrders(some),
      isStuck: this.stuck.hasOrder,
    });
    return answers.map((answer, i): ResolvedOrder | Error | Obstacle => {
      const request = requests[i] as ResolveRequest;
      if (!answer) return obstacleOf(request);
      return answer.stuckEventId === null ? this.outcomeOf(answer, request) : `event ${answer.stuckEventId}`;
    });
  }

  private async resolvePatiently(requests: readonly ResolveRequest[]): Promise<(ResolvedOrder | Error)[]> {
    const answers = await this.repository.resolveHolds(requests, [], LANE_PATIENCE_MS);
    return answers.map((answer, i) => this.outcomeOf(answer, requests[i] as ResolveRequest));
  }

  private outcomeOf(answer: Keyed<ResolveAnswer>, request: ResolveRequest): ResolvedOrder | Error {
    try {
      const { target, claim } = request;
      const order = claim ? claim.settle<ResolveAnswer>(answer, answer) : answer;
      if (order.id === null)
        return new Problem(request.orderId === null ? 'ticket_not_found' : 'order_not_found');
      if (order.isChanged) return order;
      if (isBlockedByPayment(order, request)) return new PaymentOpen(order.id);
      return request.orderId === null ? this.ticketRefusal(order, target) : orderRefusal(order, target);
    } catch (error) {
      return error as Error;
    }
  }

  /** A client whose first answer was lost learns here how that request ended. */
  private ticketRefusal({ id, status, paidAt, places, total }: ResolvedOrder, target: Target): Problem {
    const order_code = this.codes.codeOf(id);
    if (places > 1) return new Problem('part_of_an_order', { members: { order_code } });
    if (target === 'paid' && status === 'held' && total > 0)
      return new Problem('payment_required', { members: { order_code } });
    const members = { ticket_status: ticketStatusOf(status), ...(paidAt && { paid_at: paidAt }) };
    return new Problem(target === 'paid' ? 'ticket_not_payable' : 'ticket_not_cancellable', { members });
  }
}

/** A payment is to be closed at its provider before the hold may end. */
export class PaymentOpen extends Problem {
  constructor(readonly orderId: number) {
    super('payment_in_progress', { headers: { 'Retry-After': '1' } });
  }
}

type Target = ResolveRequest['target'];

/** The provider may be taking the money at this moment. */
const isBlockedByPayment = (
  { isPaying, status, places }: ResolvedOrder & { isPaying: boolean },
  { orderId, target, tender }: ResolveRequest,
) =>
  isPaying &&
  status === 'held' &&
  (orderId !== null || places === 1) &&
  (target === 'cancelled' || tender === 'offline');

const obstacleOf = ({ orderId, ticketId }: OrderName): Obstacle =>
  orderId === null ? `ticket ${ticketId}` : `order ${orderId}`;

function orderRefusal({ status, paidAt }: ResolvedOrder, target: Target): Problem {
  const members = { order_status: status, ...(paidAt && { paid_at: paidAt }) };
  return new Problem(target === 'paid' ? 'order_not_payable' : 'order_not_cancellable', { members });
}
