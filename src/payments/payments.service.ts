import { Injectable } from '@nestjs/common';
import { scopeOf, type Caller } from '../auth/caller';
import type { OrderScope, OrganizerScope, Scope } from '../database/scope';
import { EventAccessService } from '../event-access/event-access.service';
import { MAX_ID } from '../http/fields';
import { isId, ofList, pageOf, sortKeyOf, type Page, type PageQuery } from '../http/page';
import type { KeyClaim } from '../idempotency/key-claim';
import type { ResolveRequest } from '../inventory/held-order';
import { InventoryService } from '../inventory/inventory.service';
import { OrdersService } from '../orders/orders.service';
import { Problem } from '../problems/problem';
import { PaymentsRepository, type PaymentView, type PaymentWish } from './payments.repository';
import { ProviderPayments, type BuyersPayment } from './provider-payments.service';

@Injectable()
export class PaymentsService {
  constructor(
    private readonly repository: PaymentsRepository,
    private readonly inventory: InventoryService,
    private readonly orders: OrdersService,
    private readonly events: EventAccessService,
    private readonly provider: ProviderPayments,
  ) {}

  /**
   * Pays an order for its buyer: at once where it costs nothing, else through the provider.
   *
   * @param claim the request's `Idempotency-Key`
   * @returns whether this request began the payment, or found it open
   * @throws {Problem} `order_not_found`, `order_not_payable`, `payment_provider_unavailable`; `forbidden` to the organizer of
   *   its event
   */
  async pay(
    orderId: number,
    caller: Caller,
    wish: PaymentWish,
    claim?: KeyClaim,
  ): Promise<{ payment: BuyersPayment; isNew: boolean }> {
    try {
      return await this.payOwn(orderId, scopeOf(caller), wish, claim);
    } catch (error) {
      // The statements know buyers alone: looking for others would cost each of them.
      if (isNotFound(error) && caller.role !== 'admin' && (await this.isOrganizer(orderId, caller)))
        throw new Problem('forbidden');
      throw error;
    }
  }

  /**
   * Notes that the organizer has the money for an order.
   *
   * @param reference the organizer's own
   * @param claim the request's `Idempotency-Key`
   * @throws {Problem} `order_not_found`, `order_not_payable`, `payment_in_progress`; `forbidden` to its buyer
   */
  async payOffline(
    orderId: number,
    caller: Caller,
    reference: string | undefined,
    claim?: KeyClaim,
  ): Promise<PaymentView> {
    if (caller.role !== 'admin') {
      const { isOrganizer } = await this.orders.partiesOf(orderId, caller);
      if (!isOrganizer) throw new Problem('forbidden');
    }
    return await this.sell({
      orderId,
      target: 'paid',
      scope: { by: 'anyone' },
      tender: 'offline',
      ...(reference !== undefined && { reference }),
      claim,
    });
  }

  /**
   * The order's payments, newest first.
   *
   * @throws {Problem} `order_not_found`
   */
  async listByOrder(orderId: number, scope: OrderScope, query: PageQuery): Promise<Page<PaymentView>> {
    const list = ofList(query, 'payments', orderId);
    const [before] = sortKeyOf<[number]>(list, isId) ?? [MAX_ID];
    const rows = await this.repository.listByOrder(orderId, scope, before, query.limit + 1);
    if (rows.length === 0) await this.orders.get(orderId, scope);
    return pageOf(rows, list, ({ id }) => [id]);
  }

  /**
   * The event's payments, newest first.
   *
   * @throws {Problem} `event_not_found`, `forbidden`
   */
  async listByEvent(eventId: number, scope: OrganizerScope, query: PageQuery): Promise<Page<PaymentView>> {
    await this.events.requireOrganizer(eventId, scope);
    const list = ofList(query, 'payments of an event', eventId);
    const [before] = sortKeyOf<[number]>(list, isId) ?? [MAX_ID];
    const rows = await this.repository.listByEvent(eventId, before, query.limit + 1);
    return pageOf(rows, list, ({ id }) => [id]);
  }

  /**
   * Some of the event's payments, newest first.
   *
   * @param before the last payment of the page before; left out: there was none
   * @throws {Problem} `event_not_found`, `forbidden`
   */
  async export(
    eventId: number,
    scope: OrganizerScope,
    size: number,
    before?: number,
  ): Promise<{ rows: PaymentView[]; next?: number }> {
    if (before === undefined) await this.events.requireOrganizer(eventId, scope);
    const rows = await this.repository.listByEvent(eventId, before ?? MAX_ID, size);
    const next = rows.length === size ? rows.at(-1)?.id : undefined;
    return { rows, ...(next !== undefined && { next }) };
  }

  private async payOwn(
    orderId: number,
    scope: Scope,
    wish: PaymentWish,
    claim?: KeyClaim,
  ): Promise<{ payment: BuyersPayment; isNew: boolean }> {
    const payPrice = async () =>
      this.provider.providerName === undefined
        ? undefined
        : await this.provider.pay(orderId, scope, wish, claim);
    // A buyer who names a method has seen a price. For others, the one statement that all but a price needs comes first.
    const priced = wish.method === undefined ? undefined : await payPrice();
    if (priced) return priced;
    try {
      const payment = await this.sell({
        orderId,
        target: 'paid',
        scope,
        tender: 'none',
        claim,
      });
      return { payment, isNew: true };
    } catch (error) {
      const paying = hasPrice(error) ? await payPrice() : undefined;
      if (!paying) throw error;
      return paying;
    }
  }

  private async sell(request: ResolveRequest & { orderId: number }): Promise<PaymentView> {
    const order = await this.inventory.resolveHold(request);
    return {
      id: order.paymentId as number,
      orderId: request.orderId,
      provider: request.tender as string,
      status: 'succeeded',
      amount: order.total,
      currency: order.currency,
      reference: request.reference ?? null,
      failureCode: null,
      createdAt: order.paidAt as Date,
    };
  }

  private async isOrganizer(orderId: number, caller: Caller): Promise<boolean> {
    try {
      return (await this.orders.partiesOf(orderId, caller)).isOrganizer;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }
}

/** The order is held, and is not paid by a statement alone. */
const hasPrice = (error: unknown) =>
  error instanceof Problem && error.code === 'order_not_payable' && error.members.order_status === 'held';

const isNotFound = (error: unknown) => error instanceof Problem && error.code === 'order_not_found';
