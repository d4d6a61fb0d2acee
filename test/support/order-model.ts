import { HOLD_LIMIT, type Item, type PlacedOrder, type Step, type World } from './order-game';

type Status = 'held' | 'paid' | 'expired' | 'cancelled';
type ModelOrder = PlacedOrder & { status: Status; isExtended: boolean };

/** What one person at a time can rely on: plain loops over all orders there are. */
export class OrderModel {
  readonly orders: ModelOrder[] = [];
  private readonly archived = new Set<number>();
  private isCancelled = false;

  constructor(readonly world: World) {}

  /** @param code of the order, where one is answered */
  place({ user, items, code: discount }: Extract<Step, { what: 'place' }>, code: string): string {
    const refusal = this.refusal(user, items, discount);
    if (refusal) return refusal;
    const total = items.reduce((sum, { type, quantity }) => sum + quantity * this.priceOf(type, discount), 0);
    this.orders.push({ code, user, items, discount, total, status: 'held', isExtended: false });
    return '201';
  }

  pay(order: ModelOrder | undefined): string {
    if (order?.status !== 'held') return '409 order_not_payable';
    order.status = 'paid';
    return '201';
  }

  cancel(order: ModelOrder | undefined): string {
    if (order?.status !== 'held') return '409 order_not_cancellable';
    order.status = 'cancelled';
    return '200';
  }

  extend(order: ModelOrder | undefined): string {
    if (order?.status !== 'held' || order.isExtended) return '409 order_not_extendable';
    order.isExtended = true;
    return '200';
  }

  expire(order: ModelOrder | undefined): void {
    if (order?.status === 'held') order.status = 'expired';
  }

  resize(capacity: number): string {
    if (capacity < this.taken()) return '409 capacity_in_use';
    this.world.capacity = capacity;
    return '200';
  }

  resizeShared(capacity: number): string {
    if (capacity < this.taken(({ type }) => this.world.types[type]?.isShared === true))
      return '409 capacity_in_use';
    this.world.sharedCapacity = capacity;
    return '200';
  }

  archive(type: number): string {
    if (this.archived.has(type)) return '404 ticket_type_not_found';
    this.archived.add(type);
    return '204';
  }

  cancelEvent(): string {
    this.isCancelled = true;
    for (const order of this.orders) {
      if (order.status === 'held' || (order.status === 'paid' && order.total === 0))
        order.status = 'cancelled';
    }
    return '202';
  }

  /** Counters of the event, the shared quota and the code `half`, when all that is due is released. */
  counters() {
    const both = (count: (status: Status) => number) => ({ held: count('held'), sold: count('paid') });
    return [
      both((status) => this.taken(() => true, [status])),
      both((status) => this.taken(({ type }) => this.world.types[type]?.isShared === true, [status])),
      both((status) => this.uses([status])),
    ];
  }

  private refusal(user: number, items: Item[], discount: string): string | undefined {
    if (this.isCancelled) return '409 event_not_published';
    for (const { type, quantity } of items) {
      const { isHidden } = this.world.types[type] as World['types'][number];
      if (this.archived.has(type) || (isHidden && discount !== 'open')) return '404 ticket_type_not_found';
      if (quantity > 3) return '422 validation_failed';
    }
    const places = placesOf(items);
    if (this.taken() + places > this.world.capacity) return '409 event_sold_out';
    const isShared = ({ type }: Item) => this.world.types[type]?.isShared === true;
    const shared = placesOf(items.filter(isShared));
    if (shared > 0 && this.taken(isShared) + shared > this.world.sharedCapacity)
      return '409 ticket_type_sold_out';
    if (discount === 'HALF' && this.uses() === this.world.maxUses) return '409 code_used_up';
    const own = (statuses: Status[]) =>
      this.orders
        .filter((order) => order.user === user && statuses.includes(order.status))
        .reduce((sum, order) => sum + placesOf(order.items), 0);
    if (this.world.limit !== null && own(['held', 'paid']) + places > this.world.limit)
      return '409 ticket_limit_reached';
    if (own(['held']) + places > HOLD_LIMIT) return '409 hold_limit_reached';
    return undefined;
  }

  private priceOf(type: number, discount: string): number {
    const price = this.world.types[type]?.price ?? 0;
    return discount === 'HALF' ? price - Math.round(price / 2) : price;
  }

  private taken(which: (item: Item) => boolean = () => true, statuses: Status[] = ['held', 'paid']): number {
    return this.orders
      .filter(({ status }) => statuses.includes(status))
      .reduce((sum, { items }) => sum + placesOf(items.filter(which)), 0);
  }

  private uses(statuses: Status[] = ['held', 'paid']): number {
    return this.orders.filter(({ status, discount }) => discount === 'HALF' && statuses.includes(status))
      .length;
  }
}

const placesOf = (items: Item[]) => items.reduce((sum, { quantity }) => sum + quantity, 0);
