import { INVENTORY_MISMATCHES } from '../../support/seats';
import type { PostgresServer } from '../system/postgres';
import type { TicketRow } from './history-check';

/** How a wrong begins that tells of an event with more tickets than places, or with counters that differ from them. */
export const OVERSOLD = 'seats that do not add up';

/** What the database itself shows to be wrong, in words; empty when all is well. */
export async function violationsInDatabase(postgres: PostgresServer): Promise<string[]> {
  const disorderly = await postgres.sql(INVENTORY_MISMATCHES);
  // Money that a provider takes late buys places that are free.
  const late = await postgres.sql(
    `SELECT ticket_states.id, ticket_states.paid_at, ticket_states.expires_at FROM ticket_states
     JOIN orders ON orders.id = order_id WHERE ticket_states.paid_at >= ticket_states.expires_at AND total = 0`,
  );
  return [
    ...disorderly.map((row) => `${OVERSOLD}: ${JSON.stringify(row)}`),
    ...late.map((row) => `paid too late: ${JSON.stringify(row)}`),
  ];
}

/** Those that cost nothing; of the others the books tell. */
export async function allTickets(postgres: PostgresServer): Promise<TicketRow[]> {
  const rows = await postgres.sql<Record<'id' | 'user_id' | 'event_id' | 'status', string>>(
    `SELECT ticket_states.id, ticket_states.user_id, ticket_states.event_id, ticket_states.status
     FROM ticket_states JOIN orders ON orders.id = order_id WHERE total = 0`,
  );
  return rows.map(({ id, user_id, event_id, status }) => ({
    id: Number(id),
    user: Number(user_id),
    event: Number(event_id),
    status,
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
