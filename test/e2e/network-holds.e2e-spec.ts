import {
  PLACE_ORDERS_GUARDS,
  placeOrdersFunction,
} from '../../src/inventory/place-orders/place-orders.function';
import type { Problem } from '../../src/problems/problem';
import { TicketsService } from '../../src/tickets/tickets.service';
import { startTestApi, type TestApi } from '../support/api';
import { Client, type Answer } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { factoriesFor } from '../support/factories';
import { expectProblem } from '../support/problems';
import { startMain } from '../support/processes';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { tokenOf } from '../support/tokens';

const LIMIT = 3;
const SETTINGS = {
  MAX_HOLDS_PER_NETWORK_EVENT: String(LIMIT),
  MAX_HOLDS_PER_USER_EVENT: '2',
  TRUST_PROXY: '1',
};
const REACHED = 'network_hold_limit_reached';

const outcomeOf = ({ status, body }: Answer) => (status < 300 ? 'held' : (body.code as string));
const times = (count: number, outcome: string) => Array<string>(count).fill(outcome);

describe('the limit of live holds per network and event', () => {
  let api: TestApi;
  let userIds: number[];
  let event: { id: number };
  let next: number;

  beforeAll(async () => {
    api = await startTestApi(SETTINGS);
    const users = await api.sql<{ id: string }>(
      `INSERT INTO users (name, email) SELECT 'Guest', n FROM generate_series(1, 60) AS n RETURNING id`,
    );
    userIds = users.map(({ id }) => Number(id));
    next = 0;
  });
  beforeEach(async () => {
    event = await api.create.event({ total_tickets: 20 });
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(() => api.stop());

  const nextUser = () => userIds[next++ % userIds.length] as number;

  /** Another user each time. */
  const reserve = (address: string, { id } = event, by = api) =>
    by.client.as(tokenOf(nextUser())).post('/tickets/', { event_id: id }, { 'X-Forwarded-For': address });

  async function reserveInTurn(...addresses: string[]): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (const address of addresses) answers.push(await reserve(address));
    return answers;
  }

  it('holds for all users of a network together, for each network and each event by itself', async () => {
    const answers = await reserveInTurn(...times(LIMIT + 1, '203.0.113.7'));
    expect(answers.map(outcomeOf)).toEqual([...times(LIMIT, 'held'), REACHED]);
    expectProblem(answers.at(-1) as Answer, 409, REACHED);
    expect(outcomeOf(await reserve('203.0.113.7:40123'))).toBe(REACHED);
    expect(outcomeOf(await reserve('203.0.113.8'))).toBe('held');
    expect(outcomeOf(await reserve('203.0.113.7', await api.create.event()))).toBe('held');
  });

  it('counts a site of IPv6 as one network', async () => {
    const site = ['2001:db8:7:1::1', '2001:db8:7:2::1', '[2001:db8:7:3::1]:443', '2001:db8:7:4::1'];
    expect((await reserveInTurn(...site, '2001:db8:8:1::1')).map(outcomeOf)).toEqual([
      ...times(LIMIT, 'held'),
      REACHED,
      'held',
    ]);
  });

  it('is none for an admin who books for others', async () => {
    for (let i = 0; i < LIMIT + 1; i++) {
      const order = { user_id: nextUser(), event_id: event.id };
      const answer = await api.client.post('/tickets/', order, { 'X-Forwarded-For': '203.0.113.7' });
      expect(answer.status).toBe(201);
    }
    expect(outcomeOf(await reserve('203.0.113.7'))).toBe('held');
  });

  it.each(['paid', 'cancelled', 'expired'])(
    'counts no ticket that is %s, and keeps no network of it',
    async (state) => {
      const [first] = (await reserveInTurn(...times(LIMIT, '203.0.113.7'))) as [Answer];
      const { id } = first.body;
      const networks = () =>
        api.sql('SELECT network FROM orders WHERE id = (SELECT order_id FROM tickets WHERE id = $1)', [id]);
      expect(await networks()).toEqual([{ network: expect.anything() }]);
      expect(outcomeOf(await reserve('203.0.113.7'))).toBe(REACHED);
      if (state === 'expired') {
        await api.sql(
          `UPDATE orders SET created_at = created_at - (expires_at - now()), expires_at = now()
          WHERE id = (SELECT order_id FROM tickets WHERE id = $1)`,
          [id],
        );
        await api.app.get(TicketsService, { strict: false }).releaseDueHolds('sweeper');
      } else {
        await api.client.post(`/tickets/${id}/${state === 'paid' ? 'pay' : 'cancel'}`);
      }
      expect((await api.client.get(`/tickets/${id}`)).body.status).toBe(state);
      expect(await networks()).toEqual([{ network: null }]);
      expect((await reserveInTurn(...times(2, '203.0.113.7'))).map(outcomeOf)).toEqual(['held', REACHED]);
    },
  );

  it('gives the room of a network to those whom nothing else keeps back, within one batch', async () => {
    const { id } = await api.create.event({ total_tickets: 5 });
    const service = api.app.get(TicketsService, { strict: false });
    const [greedy, second, third, fourth, fifth, sixth] = Array.from({ length: 6 }, nextUser);
    const [here, there] = [{ address: '203.0.113.7' }, { address: '203.0.113.8' }];
    const requests = [
      [greedy, here, 'held'],
      [greedy, here, 'held'],
      [greedy, here, 'hold_limit_reached'],
      [second, here, 'held'],
      [third, here, REACHED],
      [fourth, there, 'held'],
      [fifth, undefined, 'held'],
      [sixth, there, 'event_sold_out'],
    ] as const;
    const outcomes = requests.map(([userId, network]) =>
      service.reserve({ userId: userId ?? 0 }, id, null, { network }).then(
        () => 'held',
        (error: unknown) => (error as Problem).code,
      ),
    );
    expect(await Promise.all(outcomes)).toEqual(requests.map(([, , expected]) => expected));
  });

  it('is none at 0, and then keeps no network', async () => {
    const off = await startTestApi({
      ...SETTINGS,
      MAX_HOLDS_PER_NETWORK_EVENT: '0',
      DATABASE_URL: api.settings.DATABASE_URL ?? '',
    });
    const answers = await Promise.all(
      times(2 * LIMIT, '203.0.113.7').map((from) => reserve(from, event, off)),
    );
    await off.stop();
    expect(answers.map(outcomeOf)).toEqual(times(2 * LIMIT, 'held'));
    expect(
      await api.sql('SELECT FROM orders WHERE event_id = $1 AND network IS NOT NULL', [event.id]),
    ).toEqual([]);
  });
});

describe('the limit per network, asked by two processes at once', () => {
  /** 40 users behind one address, half of them at each API. */
  async function rush(
    { sql }: TestDatabase,
    urls: string[],
    isKeyed: boolean,
  ): Promise<Record<string, number>> {
    const event = await factoriesFor(new Client(urls[0] ?? '')).event({ total_tickets: 100 });
    const users = await sql<{ id: string }>(
      `INSERT INTO users (name, email) SELECT 'Guest', gen_random_uuid() FROM generate_series(1, 40) AS n RETURNING id`,
    );
    const tally: Record<string, number> = {};
    const answers = await Promise.all(
      users.map(({ id }, i) =>
        new Client(urls[i % urls.length] ?? '', tokenOf(Number(id))).post(
          '/tickets/',
          { event_id: event.id },
          { 'X-Forwarded-For': '203.0.113.7', ...(isKeyed && i % 3 === 0 && { 'Idempotency-Key': id }) },
        ),
      ),
    );
    for (const outcome of answers.map(outcomeOf)) tally[outcome] = (tally[outcome] ?? 0) + 1;
    return tally;
  }

  it('is exact', async () => {
    const database = await createDatabase();
    const start = () => startMain([], { DATABASE_URL: database.url, ...SETTINGS });
    const apis = await Promise.all([start(), start()]);
    expect(
      await rush(
        database,
        apis.map(({ url }) => url),
        true,
      ),
    ).toEqual({ held: LIMIT, [REACHED]: 40 - LIMIT });
    for (const api of apis) await api.stop();
    await database.drop();
  });

  it('is not without the lock on the seats', async () => {
    const read = `${PLACE_ORDERS_GUARDS.read}, pg_sleep(0.5)`;
    const database = await createDatabase();
    await database.sql(placeOrdersFunction({ lock: '', read }));
    const apis = await Promise.all(
      [1, 2].map(() => startTestApi({ DATABASE_URL: database.url, ...SETTINGS })),
    );
    const urls = apis.map(({ client }) => client.url);
    let most = 0;
    // One may just commit before the other counts.
    for (let tries = 0; most <= LIMIT && tries < 10; tries++)
      most = Math.max(most, (await rush(database, urls, false)).held ?? 0);
    expect(most).toBeGreaterThan(LIMIT);
    for (const api of apis) await api.stop();
    await database.drop();
  });
});
