import type { QueryRunner } from 'typeorm';
import { codeKey } from '../../src/text/code-key';
import type { Sale, SeedCode, SeedQuota, SeedType } from './box-office';
import type { SeedUser } from './data';
import type { SeedOrder } from './orders';

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

export async function insertEvents(runner: QueryRunner, sales: Sale[]): Promise<void> {
  const events = sales.map(({ event }) => event);
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
    currency: ['varchar', sales.map((sale) => sale.currency)],
  });
}

export async function insertQuotas(runner: QueryRunner, quotas: SeedQuota[]): Promise<void> {
  await insert(runner, 'quotas', {
    id: ['bigint', quotas.map((quota) => quota.id)],
    event_id: ['bigint', quotas.map((quota) => quota.eventId)],
    kind: ['varchar', quotas.map((quota) => quota.kind)],
    name: ['varchar', quotas.map((quota) => quota.name)],
    capacity: ['int', quotas.map((quota) => quota.capacity)],
    held: ['int', quotas.map((quota) => quota.held)],
    sold: ['int', quotas.map((quota) => quota.sold)],
  });
}

export async function insertTypes(runner: QueryRunner, types: SeedType[]): Promise<void> {
  await insert(runner, 'ticket_types', {
    id: ['bigint', types.map((type) => type.id)],
    event_id: ['bigint', types.map((type) => type.eventId)],
    name: ['varchar', types.map((type) => type.name)],
    price: ['bigint', types.map((type) => type.price)],
    quota_ids: ['bigint[]', types.map((type) => idsOf(type.quotas))],
    is_hidden: ['boolean', types.map((type) => type.isHidden)],
    position: ['int', types.map((type) => type.position)],
  });
}

export async function insertCodes(runner: QueryRunner, codes: SeedCode[]): Promise<void> {
  await insert(runner, 'codes', {
    id: ['bigint', codes.map((code) => code.id)],
    event_id: ['bigint', codes.map((code) => code.eventId)],
    quota_id: ['bigint', codes.map((code) => code.quota.id)],
    code: ['varchar', codes.map(({ code }) => code)],
    code_key: ['varchar', codes.map(({ code }) => codeKey(code))],
    percent_off: ['int', codes.map((code) => code.percentOff)],
    ticket_type_ids: ['bigint[]', codes.map((code) => code.types && idsOf(code.types))],
    max_uses: ['int', codes.map((code) => code.maxUses)],
  });
}

/** With their tickets, and what was paid for those that cost something. */
export async function insertOrders(runner: QueryRunner, orders: SeedOrder[]): Promise<void> {
  const places = orders.map((order) => [...order.places].sort(([one], [other]) => one.id - other.id));
  const amountPaid = (order: SeedOrder) => (order.status === 'paid' ? order.total : 0);
  await insert(runner, 'orders', {
    id: ['bigint', orders.map((order) => order.id)],
    user_id: ['bigint', orders.map((order) => order.userId)],
    event_id: ['bigint', orders.map((order) => order.eventId)],
    status: ['varchar', orders.map((order) => order.status)],
    places: ['int', orders.map((order) => order.tickets.length)],
    created_at: ['timestamptz', orders.map((order) => order.createdAt)],
    expires_at: ['timestamptz', orders.map((order) => order.expiresAt)],
    paid_at: ['timestamptz', orders.map((order) => order.paidAt)],
    total: ['bigint', orders.map((order) => order.total)],
    discount: ['bigint', orders.map((order) => order.subtotal - order.total)],
    amount_paid: ['bigint', orders.map(amountPaid)],
    code_id: ['bigint', orders.map((order) => order.code?.id ?? null)],
    type_ids: ['bigint[]', orders.map(({ items }) => listOf(items.map(([type]) => type.id)))],
    numbers: ['int[]', orders.map(({ items }) => listOf(items.map(([, number]) => number)))],
    unit_prices: [
      'bigint[]',
      orders.map(({ items, subtotal }) => (subtotal > 0 ? listOf(items.map(([type]) => type.price)) : null)),
    ],
    quota_ids: ['bigint[]', places.map((taken) => listOf(taken.map(([quota]) => quota.id)))],
    quota_numbers: ['int[]', places.map((taken) => listOf(taken.map(([, number]) => number)))],
    currency: ['varchar', orders.map((order) => order.currency)],
  });
  const tickets = orders.flatMap(({ id, tickets }) => tickets.map((ticket) => ({ ...ticket, orderId: id })));
  await insert(runner, 'tickets', {
    order_id: ['bigint', tickets.map((ticket) => ticket.orderId)],
    ticket_type_id: ['bigint', tickets.map((ticket) => ticket.type.id)],
    price: ['bigint', tickets.map((ticket) => ticket.price)],
  });
  const paid = orders.filter((order) => amountPaid(order) > 0);
  await insert(runner, 'payments', {
    order_id: ['bigint', paid.map((order) => order.id)],
    event_id: ['bigint', paid.map((order) => order.eventId)],
    provider: ['varchar', paid.map(() => 'offline')],
    status: ['varchar', paid.map(() => 'succeeded')],
    amount: ['bigint', paid.map((order) => order.total)],
    taken: ['bigint', paid.map((order) => order.total)],
    currency: ['varchar', paid.map((order) => order.currency)],
    created_at: ['timestamptz', paid.map((order) => order.paidAt)],
  });
  await runner.query(
    `INSERT INTO ledger (order_id, payment_id, kind, amount, currency, created_at)
    SELECT order_id, id, 'charge', amount, currency, created_at FROM payments WHERE order_id = ANY ($1::bigint[]) ORDER BY id`,
    [paid.map((order) => order.id)],
  );
}

/** A list as PostgreSQL writes it. */
const listOf = (values: number[]) => `{${values.join(',')}}`;
const idsOf = (rows: { id: number }[]) => listOf(rows.map(({ id }) => id));

/** One statement and one parameter per column, however many rows there are. */
async function insert(runner: QueryRunner, table: string, columns: Record<string, Column>): Promise<void> {
  const names = Object.keys(columns).join(', ');
  // Lists come in words: unnest would take lists of lists for one long list.
  const arrays = Object.values(columns).map(
    ([type], i) => `$${i + 1}::${type.endsWith('[]') ? 'text' : type}[]`,
  );
  const values = Object.entries(columns).map(([name, [type]]) => `${name}::${type}`);
  await runner.query(
    `INSERT INTO ${table} (${names}) OVERRIDING SYSTEM VALUE
    SELECT ${values.join(', ')} FROM unnest(${arrays.join(', ')}) AS row (${names})`,
    Object.values(columns).map(([, values]) => values),
  );
}
