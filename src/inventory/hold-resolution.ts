import { Injectable } from '@nestjs/common';
import { Problem } from '../problems/problem';
import type { ResolveAnswer, ResolvedOrder, ResolveRequest } from './held-order';
import { OrderCodes } from './order-codes';
import { ticketStatusOf } from './ticket-status';
import { InventoryRepository } from './inventory.repository';
import type { Keyed } from './kept-outcome';
import { createOrderBatcher } from './order-batches';
import { StuckRows } from './stuck-rows';

/** Turns live holds into sales, or gives their places back, for many at once. */
@Injectable()
export class HoldResolution {
  /** @throws {Problem} as `InventoryService.resolveHold` does */
  readonly resolve: (request: ResolveRequest) => Promise<ResolvedOrder>;

  constructor(
    repository: InventoryRepository,
    stuck: StuckRows,
    private readonly codes: OrderCodes,
  ) {
    this.resolve = createOrderBatcher<ResolveRequest, Keyed<ResolveAnswer>, ResolvedOrder>(stuck, {
      name: 'resolve_holds',
      run: async (...asked) => {
        const answers = await repository.resolveHolds(...asked);
        codes.prepare(answers.flatMap(({ id }) => id ?? []));
        return answers;
      },
      outcomeOf: (answer, request) => this.outcomeOf(answer, request),
    });
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
  private ticketRefusal({ id, status, fate, paidAt, places, total }: ResolvedOrder, target: Target): Problem {
    const order_code = this.codes.codeOf(id);
    if (places > 1) return new Problem('part_of_an_order', { members: { order_code } });
    if (target === 'paid' && status === 'held' && total > 0)
      return new Problem('payment_required', { members: { order_code } });
    const ticket_status = fate ?? ticketStatusOf(status);
    const members = { ticket_status, ...(ticket_status === 'paid' && paidAt && { paid_at: paidAt }) };
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

function orderRefusal({ status, paidAt }: ResolvedOrder, target: Target): Problem {
  const members = { order_status: status, ...(status === 'paid' && paidAt && { paid_at: paidAt }) };
  return new Problem(target === 'paid' ? 'order_not_payable' : 'order_not_cancellable', { members });
}
