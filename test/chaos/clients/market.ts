import { openEvents } from '../../bench/fill/seats';
import type { PostgresServer } from '../system/postgres';

const USERS = 240;
const PLENTIFUL = { events: 6, places: 1_000_000 };
/** Sold out within a few seconds, by which time there are others. */
const SCARCE = { events: 2, places: 20, everyMs: 1_500, known: 4 };

/** The users there are, and the events they can choose from: some with places for all, some that sell out. */
export class Market {
  private scarce: number[] = [];
  private timer?: NodeJS.Timeout;

  private constructor(
    private readonly postgres: PostgresServer,
    readonly users: readonly number[],
    readonly plentiful: readonly number[],
  ) {}

  static async open(postgres: PostgresServer): Promise<Market> {
    const users = await postgres.sql<{ id: string }>(
      `INSERT INTO users (name, email) SELECT 'User ' || n, 'user' || n || '@example.com'
       FROM generate_series(1, ${USERS}) AS n RETURNING id`,
    );
    const { first, count } = await openEvents(postgres, PLENTIFUL.events, PLENTIFUL.places);
    const plentiful = Array.from({ length: count }, (_, i) => first + i);
    const market = new Market(
      postgres,
      users.map(({ id }) => Number(id)),
      plentiful,
    );
    await market.renew();
    market.timer = setInterval(() => void market.renew().catch(() => undefined), SCARCE.everyMs);
    return market;
  }

  /** Half of all choices are coveted. */
  readonly events = (): readonly number[] => [...this.plentiful.slice(0, this.scarce.length), ...this.scarce];

  close(): void {
    clearInterval(this.timer);
  }

  private async renew(): Promise<void> {
    const { first, count } = await openEvents(this.postgres, SCARCE.events, SCARCE.places);
    const added = Array.from({ length: count }, (_, i) => first + i);
    this.scarce = [...added, ...this.scarce].slice(0, SCARCE.known);
  }
}
