import type { PostgresServer } from '../system/postgres';

/** What a customer can order of an event with ticket types. */
export interface Offer {
  event: number;
  /** The first two share a quota; the last may have a price. */
  types: number[];
  /** How likely it is that the code is used. */
  codeChance: number;
}

/** How much there is of it. */
export interface Sizes {
  places: number;
  /** Of the first two types together. */
  shared: number;
  /** Of the code. */
  uses: number;
  /** Tickets a user may have. */
  limit: number | null;
  /** Of the last type. */
  price: number;
  codeChance?: number;
}

/** Takes half off the price. */
export const CODE = 'HALF';

/** Puts an event with three types, a shared quota and a code up for sale. */
export async function openBoxOffice(
  postgres: Pick<PostgresServer, 'sql'>,
  organizer: number,
  { places, shared, uses, limit, price, codeChance = 0.4 }: Sizes,
): Promise<Offer> {
  const [offer] = await postgres.sql<{ event: string; types: string[] }>(
    `WITH event AS (
      INSERT INTO events (title, start_time, end_time, organizer_id, currency, max_tickets_per_user)
      VALUES ('Orders', now() + interval '1 year', now() + interval '1 year', ${organizer}, 'EUR', ${limit})
      RETURNING id
    ), quota AS (
      INSERT INTO quotas (event_id, kind, capacity)
      SELECT id, kind, capacity
      FROM event, (VALUES ('event', ${places}), ('type', ${shared}), ('code', ${uses})) AS quota (kind, capacity)
      RETURNING id, event_id, kind
    ), code AS (
      INSERT INTO codes (event_id, quota_id, code, code_key, percent_off, max_uses)
      SELECT event_id, id, '${CODE}', '${CODE.toLowerCase()}', 50, ${uses} FROM quota WHERE kind = 'code'
    ), type AS (
      INSERT INTO ticket_types (event_id, name, price, quota_ids)
      SELECT event.id, name, price, ARRAY(SELECT id FROM quota WHERE kind = 'event' OR kind = 'type' AND is_shared ORDER BY id)
      FROM event, (VALUES (1, 'Front', 0, true), (2, 'Back', 0, true), (3, 'Box', ${price}, false))
        AS type (position, name, price, is_shared)
      ORDER BY position
      RETURNING id, event_id
    )
    SELECT event_id AS event, array_agg(id ORDER BY id) AS types FROM type GROUP BY event_id`,
  );
  return { event: Number(offer?.event), types: offer?.types.map(Number) ?? [], codeChance };
}

/** Free orders of a user as if they had been placed: some held for a day, some paid. */
export async function addOrders(
  postgres: Pick<PostgresServer, 'sql'>,
  { event }: Offer,
  { user, held, paid }: { user: number; held: number; paid: number },
): Promise<void> {
  await postgres.sql(
    `WITH type AS (
      SELECT min(id) AS id FROM ticket_types WHERE event_id = ${event}
    ), drawn AS (
      SELECT id, quota_ids FROM ticket_types WHERE id = (SELECT id FROM type)
    ), counted AS (
      UPDATE quotas SET held = held + ${held}, sold = sold + ${paid} FROM drawn WHERE quotas.id = ANY (quota_ids)
    ), made AS (
      INSERT INTO orders (user_id, event_id, status, places, created_at, expires_at, paid_at, type_ids, numbers, quota_ids,
        quota_numbers)
      SELECT ${user}, ${event}, CASE WHEN n <= ${held} THEN 'held' ELSE 'paid' END, 1, now(), now() + interval '1 day',
        CASE WHEN n > ${held} THEN now() END, ARRAY[id], ARRAY[1], quota_ids, ARRAY[1, 1]
      FROM drawn, generate_series(1, ${held + paid}) AS n
      RETURNING id, type_ids
    )
    INSERT INTO tickets (order_id, ticket_type_id) SELECT id, type_ids[1] FROM made ORDER BY id`,
  );
}
