import { startTestApi, type TestApi } from '../support/api';
import { expectProblem } from '../support/problems';

describe('DELETE /events/{event_id}', () => {
  let api: TestApi;
  let user: { id: number };

  beforeAll(async () => {
    api = await startTestApi();
    user = await api.create.user();
  });
  afterAll(() => api.stop());

  const remove = ({ id }: { id: number }) => api.client.send('DELETE', `/events/${id}`);
  const rowsOf = async ({ id }: { id: number }) =>
    (
      await api.sql(
        `SELECT (SELECT count(*)::int FROM events WHERE id = $1) AS events,
          (SELECT count(*)::int FROM quotas WHERE event_id = $1) AS quotas,
          (SELECT count(*)::int FROM ticket_types WHERE event_id = $1) AS types,
          (SELECT count(*)::int FROM event_cancellations WHERE event_id = $1) AS cancellations`,
        [id],
      )
    )[0];

  it.each(['draft', 'published', 'cancelled'])(
    'takes a %s event away as if it had never been',
    async (status) => {
      const isCancelled = status === 'cancelled';
      const event = await api.create.event({ ...(!isCancelled && { status }), title: 'Farewell' });
      if (isCancelled) expect((await api.client.post(`/events/${event.id}/cancel`)).status).toBe(202);
      expect(await remove(event)).toMatchObject({ status: 204, body: '' });
      expect(await rowsOf(event)).toEqual({ events: 0, quotas: 0, types: 0, cancellations: 0 });
      expectProblem(await api.client.get(`/events/${event.id}`), 404, 'event_not_found');
      expect((await api.client.get('/events/?q=farewell')).body).toEqual([]);
      const order = { user_id: user.id, event_id: event.id };
      expectProblem(await api.client.post('/tickets/', order), 404, 'event_not_found');
      expectProblem(await remove(event), 404, 'event_not_found');
    },
  );

  it.each(['reserved', 'paid', 'cancelled', 'expired'])(
    'keeps an event with a ticket that is %s',
    async (state) => {
      const event = await api.create.event();
      const { id } = await api.create.ticket({ user_id: user.id, event_id: event.id });
      if (state === 'paid') await api.client.post(`/tickets/${id}/pay`);
      if (state === 'cancelled') await api.client.post(`/tickets/${id}/cancel`);
      if (state === 'expired') {
        await api.sql(
          `WITH ended AS (
            UPDATE orders SET status = 'expired' WHERE id = (SELECT order_id FROM tickets WHERE id = $1) RETURNING event_id
          )
          UPDATE quotas SET held = held - 1 FROM ended WHERE quotas.event_id = ended.event_id`,
          [id],
        );
      }
      expectProblem(await remove(event), 409, 'event_has_orders');
      expect(await rowsOf(event)).toEqual({ events: 1, quotas: 1, types: 1, cancellations: 0 });
    },
  );

  it('keeps nothing for reservations that were refused', async () => {
    const event = await api.create.event({ total_tickets: 0 });
    const order = { user_id: user.id, event_id: event.id };
    expectProblem(await api.client.post('/tickets/', order), 409, 'event_sold_out');
    expect((await remove(event)).status).toBe(204);
  });
});
