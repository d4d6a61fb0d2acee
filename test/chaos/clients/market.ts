import { openEvents } from '../../bench/fill/seats';
import type { Random } from '../random';
import type { PostgresServer } from '../system/postgres';

const USERS = 240;
const PLENTIFUL = { events: 4, places: 1_000_000 };
/** Fewer places than there are people who wait for the sale to begin. */
const COVETED = { places: 3, everyMs: 700, chance: 0.5 };

/** The users there are, and the events they can choose from: some with places for all, and now and then a coveted one. */
export class Market {
  private readonly waiting: ((event: number) => void)[] = [];
  private timer?: NodeJS.Timeout;

  private constructor(
    private readonly postgres: PostgresServer,
    readonly users: readonly number[],
    /** Events that never sell out. */
    readonly plentiful: readonly number[],
  ) {}

  static async open(postgres: PostgresServer): Promise<Market> {
    const users = await postgres.sql<{ id: string }>(
      `INSERT INTO users (name, email) SELECT 'User ' || n, 'user' || n || '@example.com'
       FROM generate_series(1, ${USERS}) AS n RETURNING id`,
    );
    const { first, count } = await openEvents(postgres, PLENTIFUL.events, PLENTIFUL.places);
    const market = new Market(
      postgres,
      users.map(({ id }) => Number(id)),
      Array.from({ length: count }, (_, i) => first + i),
    );
    market.timer = setInterval(() => void market.beginSale(), COVETED.everyMs);
    return market;
  }

  /** The event a customer decides for; of a coveted one the sale begins that moment, for all who have waited. */
  async choose(random: Random): Promise<number> {
    if (!random.isLucky(COVETED.chance)) return random.pick(this.plentiful);
    return await new Promise((resolve) => this.waiting.push(resolve));
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async beginSale(): Promise<void> {
    const event = await openEvents(this.postgres, 1, COVETED.places).then(
      ({ first }) => first,
      () => this.plentiful[0] ?? 0,
    );
    for (const go of this.waiting.splice(0)) go(event);
  }
}
