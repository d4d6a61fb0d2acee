import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Client } from './client';
import { INVENTORY_MISMATCHES } from './seats';

/** Runs SQL on a connection of its own, unknown to the players. */
export type Sql = <Row = any>(text: string, values?: unknown[]) => Promise<Row[]>;

/** Live holds one user may have on one event, wherever the game is played. */
export const HOLD_LIMIT = 2;

const UNKNOWN_ID = 999_999_999;

/** One action of a user. Numbers choose among the users, events and tickets that exist by then. */
export type Step = { by: number; pause: number } & (
  { what: 'reserve'; user: number; event: number } | { what: 'pay' | 'cancel' | 'expire'; ticket: number }
);

/** Few people on few small events, so that they get in each other's way. */
export interface World {
  users: number[];
  events: number[];
  /** Seats of each event. */
  capacities: number[];
  endedEvent: number;
}

export interface Ticket {
  id: number;
  user: number;
  event: number;
}

const number = fc.nat(999);
const common = { by: number, pause: fc.nat(2) };
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ ...common, what: fc.constant('reserve'), user: number, event: number }),
  },
  { weight: 3, arbitrary: fc.record({ ...common, what: fc.constant('pay'), ticket: number }) },
  { weight: 2, arbitrary: fc.record({ ...common, what: fc.constant('cancel'), ticket: number }) },
  { weight: 2, arbitrary: fc.record({ ...common, what: fc.constant('expire'), ticket: number }) },
);

export const anyCapacities = fc.array(fc.oneof(fc.nat(4), fc.constant(9)), { minLength: 1, maxLength: 2 });

export async function createWorld(sql: Sql, capacities: number[]): Promise<World> {
  const [world] = await sql<Omit<World, 'capacities'>>(
    `WITH users AS (
      INSERT INTO users (name, email) SELECT 'Player', gen_random_uuid() FROM generate_series(1, 2) RETURNING id
    ), event AS (
      INSERT INTO events (title, start_time, end_time)
      SELECT 'Game', time, time FROM unnest(array_append(array_fill(date '2099-01-01', ARRAY[$1::int]), date '2000-01-01')) AS time
      RETURNING id
    ), quota AS (
      INSERT INTO quotas (event_id, kind, capacity)
      SELECT id, 'event', coalesce(($2::int[])[row_number() OVER (ORDER BY id)], 1) FROM event
      RETURNING id, event_id
    ), type AS (
      INSERT INTO ticket_types (event_id, name, quota_ids) SELECT event_id, 'Ticket', ARRAY[id] FROM quota
    )
    SELECT (SELECT array_agg(id ORDER BY id) FROM users) AS users,
      (SELECT (array_agg(id ORDER BY id))[:$1] FROM event) AS events,
      (SELECT max(id) FROM event) AS "endedEvent"`,
    [capacities.length, capacities],
  );
  return { ...numbersOf(world), capacities };
}

// The test's own connection reads bigint as text.
const numbersOf = (world: Omit<World, 'capacities'> | undefined) => ({
  users: world?.users.map(Number) ?? [],
  events: world?.events.map(Number) ?? [],
  endedEvent: Number(world?.endedEvent),
});

/** Users and events of reservations: now and then a missing user, or an event that is over or missing. */
export function orderOf({ user, event }: { user: number; event: number }, world: World) {
  return {
    user: user % 12 === 0 ? UNKNOWN_ID : (world.users[user % world.users.length] as number),
    event:
      event % 12 === 0
        ? UNKNOWN_ID
        : event % 12 === 1
          ? world.endedEvent
          : (world.events[event % world.events.length] as number),
  };
}

/** One of the last few tickets, or one that is not there. */
export function chosenTicket(chosen: number, tickets: Ticket[]): number {
  if (chosen % 12 === 0 || tickets.length === 0) return UNKNOWN_ID;
  return (tickets.at(-1 - (chosen % Math.min(tickets.length, 5))) as Ticket).id;
}

/** `201`, or `409 event_sold_out`. */
export const outcomeOf = ({ status, body }: Answer<{ code?: string }>) =>
  status < 300 ? `${status}` : `${status} ${body.code}`;

/** Puts a hold back until it is just due, as if the time had gone by. */
export const expire = (sql: Sql, ticket: number) =>
  sql(
    `UPDATE orders SET created_at = created_at - (expires_at - now()), expires_at = now()
    WHERE id = (SELECT order_id FROM tickets WHERE id = $1) AND status = 'held'`,
    [ticket],
  );

/** What was answered in a game of many at once. */
export interface Journal {
  tickets: Ticket[];
  /** Ids of tickets, once for each time that the answer was 200. */
  paid: number[];
  cancelled: number[];
  outcomes: Set<string>;
}

/** Everybody takes their steps one after the other, and all of them at once. */
export async function playAtOnce(
  clients: Client[],
  sql: Sql,
  world: World,
  everybody: Step[][],
): Promise<Journal> {
  const journal: Journal = { tickets: [], paid: [], cancelled: [], outcomes: new Set() };
  await Promise.all(
    everybody.map(async (steps) => {
      for (const step of steps) {
        if (step.pause > 0) await sleep(step.pause);
        await take(step);
      }
    }),
  );
  return journal;

  async function take(step: Step): Promise<void> {
    const client = clients[step.by % clients.length] as Client;
    if (step.what === 'reserve') {
      const order = orderOf(step, world);
      const answer = await client.post('/tickets/', { user_id: order.user, event_id: order.event });
      note(step, answer);
      if (answer.status === 201) journal.tickets.push({ id: answer.body.id, ...order });
      return;
    }
    const id = chosenTicket(step.ticket, journal.tickets);
    if (step.what === 'expire') {
      await expire(sql, id);
      return;
    }
    const answer = await client.post(`/tickets/${id}/${step.what}`);
    note(step, answer);
    if (answer.status === 200) (step.what === 'pay' ? journal.paid : journal.cancelled).push(id);
  }

  function note({ what }: Step, answer: Answer): void {
    journal.outcomes.add(`${what} ${outcomeOf(answer)}`);
  }
}

/** All that may be answered, by what was asked for. */
export const FORESEEN = [
  'reserve 201',
  'reserve 404 user_not_found',
  'reserve 404 event_not_found',
  'reserve 409 event_ended',
  'reserve 409 event_sold_out',
  'reserve 409 hold_limit_reached',
  'pay 200',
  'pay 404 ticket_not_found',
  'pay 409 ticket_not_payable',
  'cancel 200',
  'cancel 404 ticket_not_found',
  'cancel 409 ticket_not_cancellable',
];

/** What must never be, told in words; empty when all is well. */
export async function violationsIn(sql: Sql, world: World, journal: Journal): Promise<string[]> {
  const tickets = await sql<{ id: string; status: string; late: boolean }>(
    'SELECT id, status, paid_at >= expires_at AS late FROM ticket_states WHERE event_id = ANY ($1)',
    [[...world.events, world.endedEvent]],
  );
  const overLimit = await sql(
    `SELECT user_id, event_id, count(*) FROM ticket_states
    WHERE status = 'reserved' AND expires_at > now() GROUP BY user_id, event_id HAVING count(*) > $1`,
    [HOLD_LIMIT],
  );
  const idsOf = (status: string) =>
    tickets.filter((row) => row.status === status).map(({ id }) => Number(id));
  const told: [wrong: string, where: unknown[]][] = [
    ['seats that do not add up', await sql(INVENTORY_MISMATCHES)],
    ['more holds than one user may have', overLimit],
    ['paid too late', tickets.filter(({ late }) => late)],
    ['paid twice', repeated(journal.paid)],
    ['given back twice', repeated(journal.cancelled)],
    ['promised twice', repeated(journal.tickets.map(({ id }) => id))],
    [
      'promised and not there',
      without(
        journal.tickets.map(({ id }) => id),
        tickets.map(({ id }) => Number(id)),
      ),
    ],
    [
      'there and promised to nobody',
      without(
        tickets.map(({ id }) => Number(id)),
        journal.tickets.map(({ id }) => id),
      ),
    ],
    ['said to be paid and not', without(journal.paid, idsOf('paid'))],
    ['paid and not said so', without(idsOf('paid'), journal.paid)],
    ['said to be given back and not', without(journal.cancelled, idsOf('cancelled'))],
    ['given back and not said so', without(idsOf('cancelled'), journal.cancelled)],
    ['not foreseen', [...journal.outcomes].filter((outcome) => !FORESEEN.includes(outcome))],
  ];
  return told
    .filter(([, where]) => where.length > 0)
    .map(([wrong, where]) => `${wrong}: ${JSON.stringify(where)}`);
}

const repeated = (ids: number[]) => ids.filter((id, i) => ids.indexOf(id) < i);
const without = (ids: number[], others: number[]) => ids.filter((id) => !others.includes(id));
