import { setTimeout as sleep } from 'node:timers/promises';
import {
  PLACE_ORDERS_GUARDS,
  placeOrdersFunction,
} from '../../src/inventory/place-orders/place-orders.function';
import { startTestApi } from '../support/api';
import { Client, type Answer } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { factoriesFor, type Factories } from '../support/factories';
import { startMain } from '../support/processes';
import { INVENTORY_MISMATCHES } from '../support/seats';

const PLACES = 10;
const CLIENTS = 50;

describe('two API processes on one database', () => {
  let database: TestDatabase;
  let clients: Client[];
  let create: Factories;

  beforeAll(async () => {
    database = await createDatabase();
    clients = await startTwo({ DATABASE_URL: database.url });
    create = factoriesFor(clients[0] as Client);
  });
  afterAll(() => database.drop());
  afterEach(async () => expect(await database.sql(INVENTORY_MISMATCHES)).toEqual([]));

  it(`give the last ${PLACES} places to exactly ${PLACES} of ${CLIENTS} clients that come at once`, async () => {
    const { outcome, seats } = await rush(clients, create, database);
    expect(outcome).toEqual({ '201': PLACES, '409 event_sold_out': CLIENTS - PLACES });
    expect(seats).toEqual({ capacity: PLACES + 2, held: PLACES, sold: 2, reserved: PLACES, paid: 2 });
  });

  it('keep one user to the limit of holds, exactly', async () => {
    const [user, event] = await Promise.all([create.user(), create.event({ total_tickets: 100 })]);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => reserve(clients, i, { user_id: user.id, event_id: event.id })),
    );
    expect(tally(answers)).toEqual({ '201': 10, '409 hold_limit_reached': 30 });
  });

  it('give a place that is given back while reservations wait for their turn', async () => {
    const [user, event] = await Promise.all([create.user(), create.event({ total_tickets: 2 })]);
    const body = { user_id: user.id, event_id: event.id };
    const first = await create.ticket(body);
    const cancellation = await database.begin(
      `WITH cancelled AS (
        UPDATE orders SET status = 'cancelled' WHERE id = (SELECT order_id FROM tickets WHERE id = ${first.id})
      )
      UPDATE quotas SET held = held - 1 WHERE event_id = ${event.id}`,
    );
    const others = [reserve(clients, 1, body), reserve(clients, 1, body)];
    await database.untilBlocked();
    await cancellation.commit();
    expect(tally(await Promise.all(others))).toEqual({ '201': 2 });
  });

  it('answer each request of a crowd as they would answer it alone', async () => {
    const [user, event, ended, soldOut] = await Promise.all([
      create.user(),
      create.event({ total_tickets: 100 }),
      create.event({ start_time: '2001-01-01T00:00:00Z', end_time: '2001-01-02T00:00:00Z' }),
      create.event({ total_tickets: 0 }),
    ]);
    const bodies = [
      { user_id: user.id, event_id: event.id },
      { user_id: 999_999, event_id: event.id },
      { user_id: user.id, event_id: 999_999 },
      { user_id: 999_999, event_id: 999_999 },
      { user_id: user.id, event_id: ended.id },
      { user_id: user.id, event_id: soldOut.id },
      { user_id: user.id, event_id: event.id, seat: 1 },
      { user_id: '1', event_id: event.id },
    ];
    const alone: Answer[] = [];
    for (const body of bodies) alone.push(await reserve(clients, 0, body));
    expect(tally(alone)).toEqual({
      '201': 1,
      '404 user_not_found': 2,
      '404 event_not_found': 1,
      '409 event_ended': 1,
      '409 event_sold_out': 1,
      '422 validation_failed': 2,
    });

    const crowd = await Promise.all(
      Array.from({ length: 8 * bodies.length }, (_, i) =>
        reserve(clients, i >> 3, bodies[i % bodies.length]),
      ),
    );
    expect(crowd.map(withoutIdentity)).toEqual(
      crowd.map((_, i) => withoutIdentity(alone[i % bodies.length] as Answer)),
    );
    const ids = crowd.filter(({ status }) => status === 201).map(({ body }) => body.id);
    expect(new Set(ids).size).toBe(8);
  });
});

it('keeps seats and tickets in step through a storm of holds that are paid, given back and left to expire', async () => {
  const database = await createDatabase();
  const settings = { DATABASE_URL: database.url, HOLD_SECONDS: '1', MAX_HOLDS_PER_USER_EVENT: '3' };
  const apis = await Promise.all([startTestApi(settings), startTestApi(settings)]);
  const clients = apis.map(({ client }) => client);
  const create = factoriesFor(clients[0] as Client);
  const events = await Promise.all([4, 40, 40].map((total_tickets) => create.event({ total_tickets })));
  const users = await Promise.all(Array.from({ length: 5 }, () => create.user()));
  const draw = randomNumbers(20_261_122);
  const outcomes: Record<string, number> = {};
  const note = (what: string, answer: Answer) => {
    const outcome = `${what} ${outcomeOf(answer)}`;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  };
  const resolve = async (what: 'pay' | 'cancel', id: number) =>
    note(what, await (clients[draw(2)] as Client).post(`/tickets/${id}/${what}`));

  const end = Date.now() + 2_000;
  const visitor = async () => {
    while (Date.now() < end) {
      const body = { user_id: users[draw(users.length)].id, event_id: events[draw(events.length)].id };
      const answer = await reserve(clients, draw(2), body);
      note('reserve', answer);
      if (answer.status !== 201) await sleep(10);
      else if (draw(12) === 0) await resolve('pay', answer.body.id);
      else if (draw(12) === 0)
        await Promise.all([resolve('pay', answer.body.id), resolve('cancel', answer.body.id)]);
      else if (draw(3) === 0) await resolve('cancel', answer.body.id);
      else if (draw(8) === 0) await sleep(1_000).then(() => resolve('pay', answer.body.id));
    }
  };
  const inspector = async () => {
    while (Date.now() < end) {
      expect(await database.sql(INVENTORY_MISMATCHES)).toEqual([]);
      await sleep(50);
    }
  };
  await Promise.all([inspector(), ...Array.from({ length: 12 }, visitor)]);

  const foreseen = [
    'reserve 201',
    'reserve 409 event_sold_out',
    'pay 200',
    'cancel 200',
    'reserve 409 hold_limit_reached',
    'pay 409 ticket_not_payable',
    'cancel 409 ticket_not_cancellable',
  ];
  expect(Object.keys(outcomes).filter((outcome) => !foreseen.includes(outcome))).toEqual([]);
  expect(Object.keys(outcomes)).toEqual(expect.arrayContaining(foreseen.slice(0, 4)));
  const { 'reserve 201': created = 0, 'pay 200': paid = 0, 'cancel 200': cancelled = 0 } = outcomes;
  await eventually(async () => {
    const rows = await database.sql<{ status: string; number: number }>(
      'SELECT status, count(*)::int AS number FROM ticket_states GROUP BY status',
    );
    expect(Object.fromEntries(rows.map(({ status, number }) => [status, number]))).toEqual({
      paid,
      cancelled,
      expired: created - paid - cancelled,
    });
  });
  expect(await database.sql(INVENTORY_MISMATCHES)).toEqual([]);
  for (const api of apis) await api.stop();
  await database.drop();
});

/**
 * Whether the tests above can fail. The statement that reserves is slowed down between reading what is free and
 * taking it, so that everybody reads the same; then its guards are taken away one by one.
 */
describe('the guard of the last places', () => {
  it('holds by the lock where the CHECK is gone', async () => {
    const { outcome, seats } = await rushWith({ lock: true, check: false });
    expect(outcome).toEqual({ '201': PLACES, '409 event_sold_out': CLIENTS - PLACES });
    expect(seats).toMatchObject({ held: PLACES, reserved: PLACES });
  });

  it('holds by the CHECK where the lock is gone', async () => {
    const { outcome, seats } = await rushWith({ lock: false, check: true });
    expect(outcome['201']).toBeLessThanOrEqual(PLACES);
    expect(seats).toMatchObject({ held: outcome['201'], reserved: outcome['201'] });
  });

  it('without both, sells places that are not there', async () => {
    const { outcome, seats } = await rushWith({ lock: false, check: false });
    expect(outcome['201']).toBeGreaterThan(PLACES);
    expect(seats).toMatchObject({ held: outcome['201'], reserved: outcome['201'] });
  });

  async function rushWith({ lock, check }: { lock: boolean; check: boolean }) {
    const read = `${PLACE_ORDERS_GUARDS.read}, pg_sleep(0.25)`;
    const database = await createDatabase();
    await database.sql(placeOrdersFunction({ lock: lock ? PLACE_ORDERS_GUARDS.lock : '', read }));
    if (!check) await database.sql('ALTER TABLE quotas DROP CONSTRAINT quotas_places_check');
    const apis = await Promise.all([1, 2].map(() => startTestApi({ DATABASE_URL: database.url })));
    const clients = apis.map(({ client }) => client);
    try {
      return await rush(clients, factoriesFor(clients[0] as Client), database);
    } finally {
      for (const api of apis) await api.stop();
      await database.drop();
    }
  }
});

/** 50 users want the last 10 places of an event, all at once, half of them from each API. */
async function rush(clients: Client[], create: Factories, { sql }: TestDatabase) {
  const [event, ...users] = await Promise.all([
    create.event({ total_tickets: PLACES + 2 }),
    ...Array.from({ length: CLIENTS }, () => create.user()),
  ]);
  for (const user of users.slice(0, 2)) {
    const ticket = await create.ticket({ user_id: user.id, event_id: event.id });
    await clients[0]?.post(`/tickets/${ticket.id}/pay`);
  }
  const answers = await Promise.all(
    users.map((user, i) => reserve(clients, i, { user_id: user.id, event_id: event.id })),
  );
  const [seats] = await sql(
    `SELECT capacity, held, sold,
      (SELECT count(*)::int FROM ticket_states WHERE event_id = $1 AND status = 'reserved') AS reserved,
      (SELECT count(*)::int FROM ticket_states WHERE event_id = $1 AND status = 'paid') AS paid
    FROM quotas WHERE event_id = $1`,
    [event.id],
  );
  return { outcome: tally(answers), seats };
}

async function startTwo(environment: Record<string, string>): Promise<Client[]> {
  const apis = await Promise.all([1, 2].map(() => startMain([], environment)));
  return apis.map(({ url }) => new Client(url));
}

/** Reserves at one of the APIs, in turn. */
const reserve = (clients: Client[], i: number, body: unknown) =>
  (clients[i % clients.length] as Client).post('/tickets/', body);

const outcomeOf = ({ status, body }: Answer) => (status < 300 ? `${status}` : `${status} ${body.code}`);

function tally(answers: Answer[]): Record<string, number> {
  const numbers: Record<string, number> = {};
  for (const outcome of answers.map(outcomeOf)) numbers[outcome] = (numbers[outcome] ?? 0) + 1;
  return numbers;
}

/** What answers to the same request have in common. */
function withoutIdentity({ status, body }: Answer) {
  const { id, order_code, request_id, created_at, expires_at, ...rest } = body;
  const presence = [id, order_code, request_id, created_at, expires_at].map((value) => typeof value);
  return { status, rest, presence };
}

/** The same numbers in every run: whole ones from 0 up to, but not including, `below`. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
