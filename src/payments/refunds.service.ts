import { Injectable } from '@nestjs/common';
import type { OrderScope, OrganizerScope } from '../database/scope';
import { Transactions } from '../database/transactions';
import { MAX_ID } from '../http/fields';
import { isId, ofList, pageOf, sortKeyOf, type Page, type PageQuery } from '../http/page';
import { OrderRefunds, type RefundView, type RefundWish } from '../inventory/order-refunds.service';
import { OrdersService } from '../orders/orders.service';
import { invalid, Problem } from '../problems/problem';
import { WakeUpSender } from '../queue/wake-up-sender';
import { RefundsRepository } from './refunds.repository';

/** Gives money of orders back, as organizers ask; the outbox has the provider do it. */
@Injectable()
export class RefundsService {
  constructor(
    private readonly repository: RefundsRepository,
    private readonly refunds: OrderRefunds,
    private readonly orders: OrdersService,
    private readonly transactions: Transactions,
    private readonly wakeUps: WakeUpSender,
  ) {}

  /**
   * @throws {Problem} `order_not_found`, `forbidden` to its buyer, `refund_exceeds_payment`, `validation_failed` for tickets
   *   of another order
   */
  async request(orderId: number, scope: OrganizerScope, wish: RefundWish): Promise<RefundView> {
    const { refusal, isTheirs, isBuyers, ...refund } = await this.refunds.request(orderId, scope, wish);
    if (!isTheirs) throw new Problem(isBuyers ? 'forbidden' : 'order_not_found');
    if (refusal === 'unknown_ticket') throw invalid('/ticket_ids', 'must be tickets of this order');
    if (refusal !== null || refund.id === null) throw new Problem('refund_exceeds_payment');
    this.wakeRelay();
    return refund;
  }

  /**
   * The order's refunds, newest first.
   *
   * @throws {Problem} `order_not_found`
   */
  async listByOrder(orderId: number, scope: OrderScope, query: PageQuery): Promise<Page<RefundView>> {
    const list = ofList(query, 'refunds', orderId);
    const [before] = sortKeyOf<[number]>(list, isId) ?? [MAX_ID];
    const rows = await this.repository.listByOrder(orderId, scope, before, query.limit + 1);
    if (rows.length === 0) await this.orders.get(orderId, scope);
    return pageOf(rows, list, ({ id }) => [id]);
  }

  /** @throws {Problem} `refund_not_found`, `forbidden` to the buyer, `refund_not_retryable` */
  async retry(id: number, scope: OrganizerScope): Promise<RefundView> {
    const refund = await this.repository.find(id, scope);
    if (!refund || !(refund.isTheirs || refund.isBuyers)) throw new Problem('refund_not_found');
    if (!refund.isTheirs) throw new Problem('forbidden');
    if (!(await this.refunds.retry(id))) {
      const { status } = (await this.repository.find(id, scope)) ?? refund;
      throw new Problem('refund_not_retryable', { members: { refund_status: status } });
    }
    this.wakeRelay();
    return { ...refund, status: 'pending', failureCode: null };
  }

  private wakeRelay(): void {
    this.transactions.afterCommit(() => this.wakeUps.wakeRelay());
  }
}
