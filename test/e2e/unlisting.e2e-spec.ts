import { startTestApi, type TestApi } from '../support/api';
import type { Client } from '../support/client';
import { expectProblem } from '../support/problems';
import { INSTANT } from '../support/bookings';
import { idsOf } from '../support/search';
import { tokenOf } from '../support/tokens';

const VENUE = { latitude: 51.5072, longitude: -0.1276 };
const near = `${VENUE.latitude},${VENUE.longitude}`;

describe('an event that an admin takes out of the lists', () => {
  let api: TestApi;
  let organizer: Client;
  let lists: string[];
  let event: { id: number };
  let other: { id: number };

  beforeAll(async () => {
    api = await startTestApi();
    const place = { location_latitude: VENUE.latitude, location_longitude: VENUE.longitude };
    const { id } = await api.create.user(place);
    organizer = api.client.as(tokenOf(id));
    const body = (title: string) => ({
      title,
      start_time: '2099-06-01T19:00:00Z',
      end_time: '2099-06-01T22:00:00Z',
      total_tickets: 10,
      venue: VENUE,
    });
    event = (await organizer.post('/events/', body('Advertising'))).body;
    other = (await organizer.post('/events/', body('Advertising, too'))).body;
    lists = [
      '/events/',
      '/events/?available=true',
      '/events/?q=advertising',
      '/events/?q=advertising&sort=start_time',
      `/events/?near=${near}`,
      `/events/?near=${near}&sort=distance`,
      `/events/?organizer_id=${id}`,
      `/events/?organizer_id=${id}&near=${near}&sort=distance`,
      '/users/for-you',
    ];
  });
  afterAll(() => api.stop());

  const expectInLists = async (...expected: { id: number }[]) => {
    for (const list of lists) {
      const { body } = await organizer.get(list);
      expect({ list, ids: idsOf(body).sort() }).toEqual({ list, ids: idsOf(expected) });
    }
  };

  it('is in none of them, however often, and in all of them once it is put back', async () => {
    await expectInLists(event, other);
    const { status, body } = await api.client.post(`/events/${event.id}/unlist`);
    expect({ status, body }).toEqual({
      status: 200,
      body: { ...event, unlisted_at: expect.stringMatching(INSTANT) },
    });
    await expectInLists(other);
    // Its organizer sees since when; a second time changes nothing.
    expect((await organizer.get(`/events/${event.id}`)).body).toEqual(body);
    expect((await api.client.post(`/events/${event.id}/unlist`)).body).toEqual(body);
    // It is no less an event.
    const ticket = await organizer.post('/tickets/', { event_id: event.id });
    expect(ticket.status).toBe(201);
    expect((await organizer.post(`/tickets/${ticket.body.id}/cancel`)).status).toBe(200);

    for (let i = 0; i < 2; i++) {
      const back = await api.client.post(`/events/${event.id}/list`);
      expect({ status: back.status, body: back.body }).toEqual({ status: 200, body: event });
    }
    await expectInLists(event, other);
  });

  it.each(['unlist', 'list'])('is so by nobody else: %s', async (verb) => {
    const refused = await organizer.post(`/events/${event.id}/${verb}`);
    expectProblem(refused, 403, 'forbidden', { detail: `Only an admin of this server ${verb}s events` });
    expectProblem(await api.client.post(`/events/999999/${verb}`), 404, 'event_not_found');
    await expectInLists(event, other);
  });
});
