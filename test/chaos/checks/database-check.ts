import { orderViolationsIn } from '../../support/order-mismatches';
import { INVENTORY_MISMATCHES } from '../../support/seats';
import type { PostgresServer } from '../system/postgres';
import type { OrderRow } from './history-check';

/** How a wrong begins that tells of a quota of that kind with more tickets or uses than places, or of its counters. */
export const oversold = (kind: string) => `places that do not add up, of the ${kind}`;

const IS_NOT_IN_THE_BOOKS = `event_id NOT IN (SELECT event_id FROM payments WHERE provider = 'sandbox')`;

/** What the database itself shows to be wrong, in words; empty when all is well. */
export async function violationsInDatabase(postgres: PostgresServer): Promise<string[]> {
  const disorderly = await postgres.sql<{ kind: string }>(INVENTORY_MISMATCHES);
  // Money that a provider takes late buys places that are free.
  const late = await postgres.sql(
    `SELECT id, paid_at, expires_at FROM orders WHERE paid_at >= expires_at AND ${IS_NOT_IN_THE_BOOKS}`,
  );
  return [
    ...disorderly.map((row) => `${oversold(row.kind)}: ${JSON.stringify(row)}`),
    ...late.map((row) => `paid too late: ${JSON.stringify(row)}`),
    ...(await orderViolationsIn((text) => postgres.sql(text))),
  ];
}

/** Those of events that take no money through the sandbox: of the others its books tell. */
export async function allOrders(postgres: PostgresServer): Promise<OrderRow[]> {
  const rows = await postgres.sql<Record<'id' | 'user_id' | 'event_id' | 'status' | 'places', string>>(
    `SELECT min(id) AS id, user_id, event_id, min(status) AS status, count(*) AS places
     FROM ticket_states WHERE ${IS_NOT_IN_THE_BOOKS} GROUP BY order_id, user_id, event_id`,
  );
  return rows.map(({ id, user_id, event_id, status, places }) => ({
    id: Number(id),
    user: Number(user_id),
    event: Number(event_id),
    status,
    places: Number(places),
  }));
}

/** How long the hold that is most overdue has been due, in seconds; 0 where none is. */
export async function overdueSeconds(postgres: PostgresServer): Promise<number> {
  const [row] = await postgres.sql<{ seconds: number }>(
    `SELECT coalesce(extract(epoch FROM clock_timestamp() - min(expires_at)), 0)::float8 AS seconds
     FROM orders WHERE status = 'held' AND expires_at <= clock_timestamp()`,
  );
  return row?.seconds ?? 0;
}

/** Tickets that are held, due or not. */
export async function heldTickets(postgres: PostgresServer): Promise<number> {
  const [held] = await postgres.sql<{ number: number }>(
    `SELECT coalesce(sum(places), 0)::int AS number FROM orders WHERE status = 'held'`,
  );
  return held?.number ?? 0;
}
