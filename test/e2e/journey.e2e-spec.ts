import { startTestApi, type TestApi } from '../support/api';

describe('the journey of a booking', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi({ HOLD_SECONDS: '1' });
  });
  afterAll(() => api.stop());

  it('finds an event nearby, reserves, pays; an unpaid hold expires by itself and its place is sold again', async () => {
    const ada = await api.create.user({ location_latitude: 51.5072, location_longitude: -0.1276 });
    const bob = await api.create.user();
    const venue = { address: 'Alexandra Palace', latitude: 51.5942, longitude: -0.1306 };
    const event = await api.create.event({ total_tickets: 1, venue });

    const nearby = await api.client.get(`/users/for-you/?user_id=${ada.id}`);
    expect(nearby.body).toEqual([
      expect.objectContaining({ id: event.id, distance_km: expect.closeTo(9.676, 1) }),
    ]);

    const hold = await api.create.ticket({ user_id: ada.id, event_id: event.id });
    expect(hold).toMatchObject({ status: 'reserved', expires_in_ms: 1000, paid_at: null });
    const refused = await api.client.post('/tickets/', { user_id: bob.id, event_id: event.id });
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'event_sold_out', detail: 'Event is sold out' },
    });

    await new Promise((resolve) => setTimeout(resolve, 1_600));
    const late = await api.client.post(`/tickets/${hold.id}/pay`);
    expect(late).toMatchObject({ status: 409, body: { code: 'ticket_not_payable' } });
    expect((await api.client.get(`/events/${event.id}`)).body).toMatchObject({
      tickets_held: 0,
      tickets_available: 1,
    });

    const second = await api.create.ticket({ user_id: bob.id, event_id: event.id });
    const paid = await api.client.post(`/tickets/${second.id}/pay`);
    expect(paid).toMatchObject({ status: 200, body: { status: 'paid', paid_at: expect.any(String) } });
    expect((await api.client.get(`/events/${event.id}`)).body).toMatchObject({
      tickets_sold: 1,
      tickets_held: 0,
      tickets_available: 0,
    });
  });
});
