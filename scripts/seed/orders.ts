import { Faker, en } from '@faker-js/faker';
import type { OrderStatus } from '../../src/inventory/order-status';
import { freeIn, type Sale, type SeedCode, type SeedQuota, type SeedType } from './box-office';
import type { SeedEvent } from './data';

export interface SeedOrder {
  /** Given once it is known how many there are. */
  id: number;
  userId: number;
  eventId: number;
  status: OrderStatus;
  createdAt: Date;
  expiresAt: Date;
  paidAt: Date | null;
  currency: string | null;
  code: SeedCode | null;
  items: [type: SeedType, number: number][];
  /** How many places of which quota it takes. */
  places: Map<SeedQuota, number>;
  subtotal: number;
  total: number;
  /** Of each ticket, in the order of the items. */
  tickets: { type: SeedType; price: number }[];
}

const STATUSES: { weight: number; value: OrderStatus }[] = [
  { value: 'paid', weight: 80 },
  { value: 'expired', weight: 10 },
  { value: 'cancelled', weight: 7 },
  { value: 'held', weight: 3 },
];

/** How many tickets are bought at once. */
const SIZES = [
  { value: 1, weight: 45 },
  { value: 2, weight: 35 },
  { value: 3, weight: 10 },
  { value: 4, weight: 10 },
];

/**
 * Invents orders: so many tickets in all, more of them for the events that are wanted, never more than there are places.
 */
export class SeedOrders {
  private readonly faker: Faker;
  private eventsSeen = 0;
  /** How many tickets there are by now. */
  made = 0;

  /**
   * @param total how many tickets for all events together
   * @param userIds whose they are
   * @param today before which all but the live holds were placed
   */
  constructor(
    seed: number,
    private readonly total: number,
    private readonly eventsInAll: number,
    private readonly userIds: number[],
    private readonly holdSeconds: number,
    private readonly today: Date,
  ) {
    this.faker = new Faker({ locale: en, seed: seed + 2 });
  }

  /** The orders for the next events; what finds no place there is left to those after them. */
  *of(sales: Sale[]): Generator<SeedOrder> {
    this.eventsSeen += sales.length;
    const share = Math.floor((this.total * this.eventsSeen) / this.eventsInAll) - this.made;
    const wanted = sales.reduce((sum, { event }) => sum + demand(event), 0);
    let demanded = 0;
    let given = 0;
    for (const sale of sales) {
      demanded += demand(sale.event);
      let left = Math.min(sale.event.capacity, Math.floor((share * demanded) / wanted) - given);
      given += left;
      while (left > 0) {
        const order = this.place(sale, left);
        left -= order.tickets.length;
        yield order;
      }
    }
    this.made += given;
  }

  private place(sale: Sale, most: number): SeedOrder {
    const { faker } = this;
    const { event, currency } = sale;
    const userId = faker.helpers.arrayElement(this.userIds);
    const drawn = faker.helpers.weightedArrayElement(STATUSES);
    const now = new Date();
    const isHeld = drawn === 'held' && event.endTime > now;
    const status = drawn === 'held' && !isHeld ? 'expired' : drawn;
    const createdAt = isHeld ? now : this.whileOnSale(event);
    const held = this.holdSeconds * 1_000;
    const [items, code] = this.choose(sale, Math.min(most, faker.helpers.weightedArrayElement(SIZES)));
    const tickets = items.flatMap(([type, number]) =>
      Array.from({ length: number }, () => ({ type, price: reduced(type, code) })),
    );
    const places = placesOf(items, code);
    for (const [quota, number] of places) {
      if (status === 'held') quota.held += number;
      if (status === 'paid') quota.sold += number;
    }
    return {
      id: 0,
      userId,
      eventId: event.id,
      status,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + held),
      paidAt: status === 'paid' ? new Date(createdAt.getTime() + faker.number.float(0.9) * held) : null,
      currency,
      code,
      items,
      places,
      subtotal: items.reduce((sum, [{ price }, number]) => sum + price * number, 0),
      total: tickets.reduce((sum, { price }) => sum + price, 0),
      tickets,
    };
  }

  /** Mostly one type, sometimes a second one, now and then with a code. */
  private choose({ types, codes }: Sale, size: number): [SeedOrder['items'], SeedCode | null] {
    const { faker } = this;
    const [first, ...others] = types.filter(({ isHidden }) => !isHidden) as [SeedType, ...SeedType[]];
    const code = codes.length > 0 && faker.datatype.boolean(0.2) ? faker.helpers.arrayElement(codes) : null;
    const usable = code && freeIn(code.quota) > 0 ? code : null;
    const hidden = usable?.types?.[0];
    if (hidden) return [[[hidden, size]], usable];
    const second =
      others.length > 0 && faker.datatype.boolean(0.4) ? faker.helpers.arrayElement(others) : undefined;
    if (!second || second.quotas.some((quota) => freeIn(quota) < 1)) return [[[first, size]], usable];
    return [
      size === 1
        ? [[second, 1]]
        : [
            [first, size - 1],
            [second, 1],
          ],
      usable,
    ];
  }

  /** A time between the announcement and the start of an event, and before today. */
  private whileOnSale({ createdAt, startTime }: SeedEvent): Date {
    const latest = Math.min(startTime.getTime(), this.today.getTime());
    const earliest = Math.min(createdAt.getTime(), latest);
    return new Date(this.faker.number.int({ min: earliest, max: latest }));
  }
}

const demand = ({ capacity, popularity }: SeedEvent) => capacity * popularity;

/** The discount is rounded half up, as the API does. */
const reduced = ({ price }: SeedType, code: SeedCode | null) =>
  price - Math.floor((price * (code?.percentOff ?? 0) + 50) / 100);

function placesOf(items: SeedOrder['items'], code: SeedCode | null): Map<SeedQuota, number> {
  const places = new Map<SeedQuota, number>();
  for (const [{ quotas }, number] of items) {
    for (const quota of quotas) places.set(quota, number + (places.get(quota) ?? 0));
  }
  if (code) places.set(code.quota, 1);
  return places;
}
