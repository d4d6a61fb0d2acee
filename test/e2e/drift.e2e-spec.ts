import { TicketsService } from '../../src/tickets/tickets.service';
import { startTestApi, type TestApi } from '../support/api';
import { expectProblem } from '../support/problems';
import { INVENTORY_MISMATCHES } from '../support/seats';

/** Nothing listens on it; an API that is told to leave expiration to workers releases nothing by itself. */
const DEAD_REDIS = 'redis://127.0.0.1:1';

describe('a counter of held seats that went wrong by somebody’s hand', () => {
  let api: TestApi;
  let user: { id: number };

  beforeAll(async () => {
    api = await startTestApi({ REDIS_URL: DEAD_REDIS });
    user = await api.create.user();
  });
  afterAll(() => api.stop());

  const hold = (event: { id: number }) => api.create.ticket({ user_id: user.id, event_id: event.id });
  const pay = ({ id }: { id: number }) => api.client.post(`/tickets/${id}/pay`);
  const lose = (event: { id: number }) =>
    api.sql('UPDATE quotas SET held = 0 WHERE event_id = $1', [event.id]);
  const seats = async (event: { id: number }) =>
    (await api.sql('SELECT held, sold FROM quotas WHERE event_id = $1', [event.id]))[0];

  it('keeps nobody from paying or giving back, and is right again after', async () => {
    const event = await api.create.event({ total_tickets: 3 });
    const [first, second, third] = [await hold(event), await hold(event), await hold(event)];
    await lose(event);
    const answers = await Promise.all([
      pay(first),
      pay(second),
      api.client.post(`/tickets/${third.id}/cancel`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await seats(event)).toEqual({ held: 0, sold: 2 });
    expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]);
  });

  it('keeps no hold from ending, here or elsewhere', async () => {
    const [event, other] = [await api.create.event(), await api.create.event()];
    await Promise.all([hold(event), hold(other)]);
    await lose(event);
    await api.sql(
      `UPDATE orders SET created_at = created_at - (expires_at - now()), expires_at = now() WHERE status = 'held'`,
    );
    expect(await api.app.get(TicketsService, { strict: false }).releaseDueHolds('sweeper')).toBe(2);
    expect([await seats(event), await seats(other)]).toEqual(Array(2).fill({ held: 0, sold: 0 }));
    expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]);
  });

  it('sells no seat twice: who pays for one that was sold meanwhile learns that it is not their fault', async () => {
    const [event, other] = [await api.create.event({ total_tickets: 1 }), await api.create.event()];
    const [first, neighbour] = [await hold(event), await hold(other)];
    await lose(event);
    const second = await hold(event);
    expect((await pay(first)).status).toBe(200);
    const [refused, paid] = await Promise.all([pay(second), pay(neighbour)]);
    expectProblem(refused, 503, 'service_unavailable');
    expect(refused.headers.get('retry-after')).toBe('60');
    expect(paid.status).toBe(200);
    expect(await seats(event)).toEqual({ held: 0, sold: 1 });
  });
});
