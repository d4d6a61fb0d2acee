import { Faker, en } from '@faker-js/faker';
import type { QuotaKind } from '../../src/inventory/quota.entity';
import { priceOf, type Currency, CURRENCIES } from './currencies';
import type { SeedEvent } from './data';

/* The ids are given once it is known how many there are. */

export interface SeedQuota {
  id: number;
  eventId: number;
  kind: QuotaKind;
  name: string;
  capacity: number;
  held: number;
  sold: number;
}

export interface SeedType {
  id: number;
  eventId: number;
  name: string;
  price: number;
  /** The event's, and its own one if it has one. */
  quotas: SeedQuota[];
  isHidden: boolean;
  position: number;
}

export interface SeedCode {
  id: number;
  eventId: number;
  quota: SeedQuota;
  code: string;
  percentOff: number | null;
  /** Null: all that are not hidden. */
  types: SeedType[] | null;
  maxUses: number | null;
}

/** An event with what it sells. */
export interface Sale {
  event: SeedEvent;
  currency: string | null;
  quotas: SeedQuota[];
  types: SeedType[];
  codes: SeedCode[];
}

/** As many uses as a code without a limit may have. */
const ANY_NUMBER = 2_147_483_647;

/** Invents what events sell: some are free, the others have types and prices in the currency of their country. */
export class SeedBoxOffice {
  private readonly faker: Faker;

  constructor(seed: number) {
    this.faker = new Faker({ locale: en, seed: seed + 3 });
  }

  sale(event: SeedEvent): Sale {
    const { faker } = this;
    const quota = newQuota(event, 'event', event.capacity);
    const sale: Sale = { event, currency: null, quotas: [quota], types: [], codes: [] };
    const currency = faker.datatype.boolean(0.6) ? CURRENCIES[event.country] : undefined;
    if (!currency) {
      this.addType(sale, 'Ticket', 0);
      return sale;
    }
    sale.currency = currency.code;
    this.addTypes(sale, currency);
    if (faker.datatype.boolean(0.4)) this.addCodes(sale);
    return sale;
  }

  private addTypes(sale: Sale, currency: Currency): void {
    const { faker } = this;
    const euros = faker.number.int({ min: 4, max: 90 });
    this.addType(sale, 'Standard', priceOf(euros, currency));
    if (faker.datatype.boolean(0.7)) this.addType(sale, 'Reduced', priceOf(0.6 * euros, currency));
    if (faker.datatype.boolean(0.4)) {
      const best = newQuota(sale.event, 'type', Math.ceil(sale.event.capacity / 10), 'Front rows');
      sale.quotas.push(best);
      this.addType(sale, 'Front row', priceOf(2.5 * euros, currency), best);
    }
  }

  private addCodes(sale: Sale): void {
    const { event } = sale;
    const maxUses = this.faker.number.int({ min: 5, max: 200 });
    this.addCode(sale, { code: 'EARLY10', percentOff: 10, maxUses, types: null });
    const guests = this.addType(sale, 'Guest list', 0);
    guests.isHidden = true;
    this.addCode(sale, { code: `GUEST-${event.id}`, percentOff: null, maxUses: null, types: [guests] });
  }

  private addType(sale: Sale, name: string, price: number, own?: SeedQuota): SeedType {
    const [quota] = sale.quotas as [SeedQuota];
    const type: SeedType = {
      id: 0,
      eventId: sale.event.id,
      name,
      price,
      quotas: own ? [quota, own] : [quota],
      isHidden: false,
      position: sale.types.length,
    };
    sale.types.push(type);
    return type;
  }

  private addCode(sale: Sale, code: Pick<SeedCode, 'code' | 'percentOff' | 'maxUses' | 'types'>): void {
    const quota = newQuota(sale.event, 'code', code.maxUses ?? ANY_NUMBER);
    sale.quotas.push(quota);
    sale.codes.push({ id: 0, eventId: sale.event.id, quota, ...code });
  }
}

const newQuota = ({ id }: SeedEvent, kind: QuotaKind, capacity: number, name = ''): SeedQuota => ({
  id: 0,
  eventId: id,
  kind,
  name,
  capacity,
  held: 0,
  sold: 0,
});

/** How many more it can give. */
export const freeIn = ({ capacity, held, sold }: SeedQuota) => capacity - held - sold;
