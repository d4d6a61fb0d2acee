import { openEvents } from '../../bench/fill/seats';
import type { Random } from '../random';
import type { PostgresServer } from '../system/postgres';
import { addOrders, openBoxOffice, type Offer } from './box-office';

const USERS = 240;
const MOST = 1_000_000;
const PLENTIFUL = { events: 4, places: MOST };
const PLENTY_TO_ORDER = { places: MOST, shared: MOST, uses: MOST, limit: null, price: 333 };
/** Fewer places than there are people who wait for the sale to begin. */
const COVETED = { places: 3, everyMs: 500, chance: 0.5 };
const COVETED_ORDERS = { places: 12, shared: 5, uses: 2, limit: 6, price: 333 };
const COVETED_CODE = { ...PLENTY_TO_ORDER, uses: 1, codeChance: 1 };
/** So many that ending them takes several statements. */
const DOOMED = { sizes: { ...PLENTY_TO_ORDER, price: 0 }, orders: { held: 6_000, paid: 20_000 } };

/** An event that a customer decides for: with types where it is to be ordered of, else of single tickets. */
export type Choice = { event: number; types?: undefined } | Offer;

/** The users there are, and the events they can choose from: some with places for all, and now and then a coveted one. */
export class Market {
  /** Events that are cancelled in this run: of their orders none remains, whatever their buyers were told. */
  readonly cancelled = new Set<number>();
  private readonly waiting: ((choice: Choice) => void)[] = [];
  private timer?: NodeJS.Timeout;
  private sales = 0;
  private hot?: Offer;

  private constructor(
    private readonly postgres: PostgresServer,
    readonly users: readonly number[],
    /** Of the events that are ordered of. */
    readonly organizer: number,
    /** Events of single tickets that never sell out. */
    readonly plentiful: readonly number[],
    private readonly office: Offer,
  ) {}

  static async open(postgres: PostgresServer): Promise<Market> {
    const rows = await postgres.sql<{ id: string }>(
      `INSERT INTO users (name, email) SELECT 'User ' || n, 'user' || n || '@example.com'
       FROM generate_series(0, ${USERS}) AS n RETURNING id`,
    );
    const [organizer = 0, ...users] = rows.map(({ id }) => Number(id));
    const { first, count } = await openEvents(postgres, PLENTIFUL.events, PLENTIFUL.places);
    const plentiful = Array.from({ length: count }, (_, i) => first + i);
    const office = await openBoxOffice(postgres, organizer, PLENTY_TO_ORDER);
    const market = new Market(postgres, users, organizer, plentiful, office);
    market.timer = setInterval(() => void market.beginSale(), COVETED.everyMs);
    return market;
  }

  /** What a customer decides for; of a coveted event the sale begins that moment, for all who have waited. */
  async choose(random: Random): Promise<Choice> {
    const isOrder = random.isLucky(0.5);
    if (!random.isLucky(COVETED.chance)) {
      if (this.hot) return this.hot;
      return isOrder ? this.office : { event: random.pick(this.plentiful) };
    }
    return await new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Offers an event with many orders that is going to be cancelled to all who are not after a coveted one. */
  async openDoomed(): Promise<Offer> {
    const offer = await openBoxOffice(this.postgres, this.organizer, DOOMED.sizes);
    this.cancelled.add(offer.event);
    await addOrders(this.postgres, offer, { user: this.organizer, ...DOOMED.orders });
    this.hot = offer;
    return offer;
  }

  /** Everybody turns to other events again. */
  forgetDoomed(): void {
    this.hot = undefined;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async beginSale(): Promise<void> {
    const scarce = [undefined, COVETED_ORDERS, COVETED_CODE][this.sales++ % 3];
    const open = async (): Promise<Choice> =>
      scarce
        ? await openBoxOffice(this.postgres, this.organizer, scarce)
        : { event: (await openEvents(this.postgres, 1, COVETED.places)).first };
    const choice = await open().catch((): Choice => ({ event: this.plentiful[0] ?? 0 }));
    for (const go of this.waiting.splice(0)) go(choice);
  }
}
