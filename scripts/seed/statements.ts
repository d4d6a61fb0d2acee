import type { QueryRunner } from 'typeorm';
import type { SeedEvent, SeedUser } from './data';
import type { SeedTicket } from './tickets';

/** A column's type and its values, one per row. */
type Column = [type: string, values: unknown[]];

/** Takes ids from the sequence of a table, so that rows which need each other can be made before they are inserted. */
export async function takeIds(runner: QueryRunner, table: string, count: number): Promise<number[]> {
  const rows = (await runner.query(
    `SELECT nextval(pg_get_serial_sequence($1, 'id')) AS id FROM generate_series(1, $2)`,
    [table, count],
  )) as { id: number }[];
  return rows.map(({ id }) => id);
}

export async function insertUsers(runner: QueryRunner, users: SeedUser[]): Promise<void> {
  await insert(runner, 'users', {
    id: ['bigint', users.map((user) => user.id)],
    name: ['varchar', users.map((user) => user.name)],
    email: ['varchar', users.map((user) => user.email)],
    location_address: ['varchar', users.map((user) => user.locationAddress)],
    location_latitude: ['float8', users.map((user) => user.locationLatitude)],
    location_longitude: ['float8', users.map((user) => user.locationLongitude)],
    created_at: ['timestamptz', users.map((user) => user.createdAt)],
  });
}

export async function insertEvents(runner: QueryRunner, events: SeedEvent[]): Promise<void> {
  await insert(runner, 'events', {
    id: ['bigint', events.map((event) => event.id)],
    title: ['varchar', events.map((event) => event.title)],
    description: ['text', events.map((event) => event.description)],
    start_time: ['timestamptz', events.map((event) => event.startTime)],
    end_time: ['timestamptz', events.map((event) => event.endTime)],
    venue_address: ['varchar', events.map((event) => event.venueAddress)],
    venue_latitude: ['float8', events.map((event) => event.venueLatitude)],
    venue_longitude: ['float8', events.map((event) => event.venueLongitude)],
    created_at: ['timestamptz', events.map((event) => event.createdAt)],
  });
}

export async function insertInventory(runner: QueryRunner, events: SeedEvent[]): Promise<void> {
  await insert(runner, 'inventory', {
    event_id: ['bigint', events.map((event) => event.id)],
    capacity: ['int', events.map((event) => event.capacity)],
    held: ['int', events.map((event) => event.held)],
    sold: ['int', events.map((event) => event.sold)],
    was_taken: ['boolean', events.map((event) => event.wasTaken)],
  });
}

export async function insertTickets(runner: QueryRunner, tickets: SeedTicket[]): Promise<void> {
  await insert(runner, 'tickets', {
    user_id: ['bigint', tickets.map((ticket) => ticket.userId)],
    event_id: ['bigint', tickets.map((ticket) => ticket.eventId)],
    status: ['varchar', tickets.map((ticket) => ticket.status)],
    created_at: ['timestamptz', tickets.map((ticket) => ticket.createdAt)],
    expires_at: ['timestamptz', tickets.map((ticket) => ticket.expiresAt)],
    paid_at: ['timestamptz', tickets.map((ticket) => ticket.paidAt)],
  });
}

/** One statement and one parameter per column, however many rows there are. */
async function insert(runner: QueryRunner, table: string, columns: Record<string, Column>): Promise<void> {
  const names = Object.keys(columns).join(', ');
  const arrays = Object.values(columns).map(([type], i) => `$${i + 1}::${type}[]`);
  await runner.query(
    `INSERT INTO ${table} (${names}) OVERRIDING SYSTEM VALUE SELECT * FROM unnest(${arrays.join(', ')})`,
    Object.values(columns).map(([, values]) => values),
  );
}
