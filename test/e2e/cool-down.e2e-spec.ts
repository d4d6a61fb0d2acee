import { startTestApi, type TestApi } from '../support/api';
import type { Client } from '../support/client';
import { makeOrders } from '../support/fill';
import { expectProblem } from '../support/problems';
import { openTill } from '../support/till';
import { tokenOf } from '../support/tokens';

const LIVE = 2;
/** So many holds may have ended unpaid. */
const ENDED = 3 * LIVE;
const COOL_DOWN_SECONDS = 600;
const HOLD_SECONDS = 30;

describe('a user who holds again and again without paying', () => {
  let api: TestApi;
  let user: { id: number };
  let event: { id: number };

  beforeAll(async () => {
    api = await startTestApi({
      MAX_HOLDS_PER_USER_EVENT: String(LIVE),
      HOLD_COOL_DOWN_SECONDS: String(COOL_DOWN_SECONDS),
      HOLD_SECONDS: String(HOLD_SECONDS),
    });
  });
  afterAll(() => api.stop());
  beforeEach(async () => {
    [user, event] = await Promise.all([api.create.user(), api.create.event({ total_tickets: 100 })]);
  });

  const reserve = (by: Client = api.client) => by.post('/tickets/', { user_id: user.id, event_id: event.id });

  async function letGo(times: number, client = api.client): Promise<void> {
    for (let i = 0; i < times; i++) {
      const { status, body } = await reserve(client);
      expect(status).toBe(201);
      expect((await client.post(`/tickets/${body.id}/cancel`)).status).toBe(200);
    }
  }

  /** As if the user's tickets had been due that long ago. */
  const age = (seconds: number) =>
    api.sql(`UPDATE orders SET expires_at = now() - $2 * interval '1 second' WHERE user_id = $1`, [
      user.id,
      seconds,
    ]);

  it('has to wait, and is told how long', async () => {
    await letGo(ENDED);
    const refused = await reserve();
    expectProblem(refused, 429, 'hold_cool_down');
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(COOL_DOWN_SECONDS);
    expect(seconds).toBeLessThanOrEqual(COOL_DOWN_SECONDS + HOLD_SECONDS);
    const [seats] = await api.sql('SELECT held FROM quotas WHERE event_id = $1', [event.id]);
    expect(seats).toEqual({ held: 0 });
  });

  it('has to wait also as themself, not only when an admin acts for them', async () => {
    const self = api.client.as(tokenOf(user.id));
    await letGo(ENDED, self);
    expectProblem(await reserve(self), 429, 'hold_cool_down');
  });

  it('may go on once enough of them are long enough past', async () => {
    await letGo(ENDED);
    await age(COOL_DOWN_SECONDS - 5);
    const refused = await reserve();
    expectProblem(refused, 429, 'hold_cool_down');
    expect(['4', '5']).toContain(refused.headers.get('retry-after'));
    await api.sql(
      `UPDATE orders SET expires_at = now() - $2 * interval '1 second'
       WHERE id = (SELECT min(id) FROM orders WHERE user_id = $1)`,
      [user.id, COOL_DOWN_SECONDS + 1],
    );
    expect((await reserve()).status).toBe(201);
  });

  it('is told when enough of them are past, not only the oldest', async () => {
    const live = await Promise.all(Array.from({ length: LIVE }, () => reserve()));
    expect(live.map(({ status }) => status)).toEqual(Array(LIVE).fill(201));
    await api.sql(
      makeOrders(
        `SELECT $1::bigint, $2::bigint, 'expired', now(), now() - n * interval '10 seconds', NULL::timestamptz
        FROM generate_series(1, $3::int) AS n`,
      ),
      [user.id, event.id, ENDED],
    );
    for (const { body } of live) await api.client.post(`/tickets/${body.id}/cancel`);
    const { headers } = await reserve();
    // The oldest goes, and the two that were cancelled take its place and the next one's.
    const seconds = Number(headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(COOL_DOWN_SECONDS - 10 * (ENDED - LIVE) - 5);
    expect(seconds).toBeLessThanOrEqual(COOL_DOWN_SECONDS - 10 * (ENDED - LIVE));
  });

  it('counts holds that ran out like those that were cancelled, whether they are released yet or not', async () => {
    await letGo(ENDED - LIVE);
    const tickets = await Promise.all(Array.from({ length: LIVE }, () => reserve()));
    expect(tickets.map(({ status }) => status)).toEqual(Array(LIVE).fill(201));
    await age(1);
    expectProblem(await reserve(), 429, 'hold_cool_down');
  });

  it('may go on with other events, and others with this one', async () => {
    await letGo(ENDED);
    const [other, another] = await Promise.all([api.create.user(), api.create.event()]);
    const answers = [
      await api.client.post('/tickets/', { user_id: other.id, event_id: event.id }),
      await api.client.post('/tickets/', { user_id: user.id, event_id: another.id }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
  });

  it('does not count who pays', async () => {
    for (let i = 0; i < ENDED + 1; i++) {
      const { status, body } = await reserve();
      expect(status).toBe(201);
      expect((await api.client.post(`/tickets/${body.id}/pay`)).status).toBe(200);
    }
  });

  it('does not count who paid, and got their money back', async () => {
    const till = await openTill(api);
    for (let i = 0; i < ENDED / LIVE; i++) {
      const { code } = await till.place(LIVE);
      await till.organizer.client.post(`/orders/${code}/payments`, { offline: true });
      await till.organizer.client.post(`/orders/${code}/refunds`, {});
      expect(await till.show({ code })).toMatchObject({ status: 'refunded' });
    }
    expect(await till.place(LIVE)).toMatchObject({ status: 'held' });
  });

  it('is told of live holds first, and of a sold-out event before that', async () => {
    await letGo(ENDED - 1);
    const [first] = await Promise.all([reserve(), reserve()]);
    const setStatus = (id: number, status: string) =>
      api.sql('UPDATE orders SET status = $2 WHERE id = (SELECT order_id FROM tickets WHERE id = $1)', [
        id,
        status,
      ]);
    await setStatus(first.body.id, 'cancelled');
    expectProblem(await reserve(), 429, 'hold_cool_down');
    await setStatus(first.body.id, 'held');
    expectProblem(await reserve(), 409, 'hold_limit_reached');
    await api.sql('UPDATE quotas SET capacity = held WHERE event_id = $1', [event.id]);
    expectProblem(await reserve(), 409, 'event_sold_out');
  });

  it('never has more end than that, however many come at once', async () => {
    const rush = async () => {
      const { status, body } = await reserve();
      if (status === 201) await api.client.post(`/tickets/${body.id}/cancel`);
      return status;
    };
    for (let round = 0; round < 4; round++) await Promise.all(Array.from({ length: 3 * LIVE }, rush));
    const [{ ended }] = await api.sql('SELECT count(*)::int AS ended FROM ticket_states WHERE user_id = $1', [
      user.id,
    ]);
    expect(ended).toBeGreaterThanOrEqual(ENDED);
    expect(ended).toBeLessThan(ENDED + LIVE);
  });

  it.each([
    ['HOLD_COOL_DOWN_SECONDS=0', { HOLD_COOL_DOWN_SECONDS: '0', MAX_HOLDS_PER_USER_EVENT: String(LIVE) }],
    ['MAX_HOLDS_PER_USER_EVENT=0', { MAX_HOLDS_PER_USER_EVENT: '0' }],
  ])('never has to wait with %s', async (_, environment) => {
    const lenient = await startTestApi({ DATABASE_URL: api.settings.DATABASE_URL ?? '', ...environment });
    await letGo(ENDED + 1, lenient.client);
    await lenient.stop();
  });
});
