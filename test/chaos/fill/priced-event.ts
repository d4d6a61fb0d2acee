import { openEvents } from '../../bench/fill/seats';
import type { PostgresServer } from '../system/postgres';

const USERS = 120;
const PRICE = 1_250;

interface PricedEvent {
  id: number;
  /** Its only ticket type. */
  type: number;
}

/** Few, so that money that comes late finds none free now and then. */
const PLACES = 40;

/** Events whose tickets have a price, one after the other: when one is sold out, the next one is for sale. */
export class PricedSales {
  private opening?: Promise<void>;

  private constructor(
    private readonly postgres: PostgresServer,
    readonly users: readonly number[],
    public current: PricedEvent,
  ) {}

  static async open(postgres: PostgresServer): Promise<PricedSales> {
    const users = await postgres.sql<{ id: string }>(
      `INSERT INTO users (name, email)
       SELECT 'Buyer ' || n, gen_random_uuid() || '@example.com' FROM generate_series(1, ${USERS}) AS n RETURNING id`,
    );
    return new PricedSales(
      postgres,
      users.map(({ id }) => Number(id)),
      await openPricedEvent(postgres, PLACES),
    );
  }

  /** Opens the next one, once for all who find that `soldOut` is. */
  async next(soldOut: PricedEvent): Promise<void> {
    if (this.current !== soldOut) return;
    this.opening ??= openPricedEvent(this.postgres, PLACES).then((event) => {
      this.current = event;
      this.opening = undefined;
    });
    await this.opening;
  }
}

/** An event whose only ticket type has a price. */
export async function openPricedEvent(
  postgres: PostgresServer,
  places: number,
): Promise<PricedEvent & { price: number }> {
  const { first: id } = await openEvents(postgres, 1, places);
  await postgres.sql(`UPDATE events SET currency = 'EUR' WHERE id = $1`, [id]);
  const [type] = await postgres.sql<{ id: string }>(
    `UPDATE ticket_types SET price = ${PRICE} WHERE event_id = $1 RETURNING id`,
    [id],
  );
  return { id, type: Number(type?.id), price: PRICE };
}
