import { startTestApi, type TestApi } from '../support/api';
import { expectRefusal } from '../support/bookings';
import type { Client } from '../support/client';
import { eventBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { tokenOf } from '../support/tokens';

const PLACE = { latitude: 12.5, longitude: 77.5 };
const STATUSES = ['draft', 'published', 'cancelled'] as const;

describe('drafts and cancelled events', () => {
  let api: TestApi;
  let organizerId: number;
  let organizer: Client;
  let stranger: Client;
  let nobody: Client;
  const ids = {} as Record<(typeof STATUSES)[number], number>;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    const [one, other] = [await api.create.user(), await api.create.user(atPlace)];
    organizerId = one.id;
    organizer = api.client.as(tokenOf(one.id));
    stranger = api.client.as(tokenOf(other.id));
    nobody = api.client.as('');
    for (const status of STATUSES) {
      const body = { ...eventBody(), title: 'Quartet', venue: PLACE };
      const event = await organizer.post('/events/', status === 'draft' ? { ...body, status } : body);
      ids[status] = event.body.id;
    }
    await api.sql(`UPDATE events SET status = 'cancelled' WHERE id = $1`, [ids.cancelled]);
  });
  afterAll(() => api.stop());

  const atPlace = { location_latitude: PLACE.latitude, location_longitude: PLACE.longitude };
  const statusesIn = async (client: Client, path: string) => {
    const { status, body } = await client.get<{ status: string }[]>(path);
    expect(status).toBe(200);
    return body.map((event) => event.status).sort();
  };

  const LISTS = [
    '?',
    '?q=quartet',
    '?q=quartet&sort=start_time',
    '?near=12.5,77.5',
    '?near=12.5,77.5&sort=distance',
  ];

  it.each(LISTS)('are in no list that is public: /events/%s', async (query) => {
    for (const client of [nobody, stranger, organizer, api.client]) {
      expect(await statusesIn(client, `/events/${query}`)).toEqual(['published']);
    }
    for (const client of [nobody, stranger]) {
      const path = `/events/${query}&organizer_id=${organizerId}`;
      expect(await statusesIn(client, path)).toEqual(['published']);
    }
  });

  it('are not near anybody, not even their organizer', async () => {
    expect(await statusesIn(stranger, '/users/for-you')).toEqual(['published']);
    const path = `/users/${organizerId}`;
    const headers = { 'Content-Type': 'application/json' };
    await organizer.send('PATCH', path, { body: JSON.stringify(atPlace), headers });
    expect(await statusesIn(organizer, '/users/for-you')).toEqual(['published']);
  });

  it.each(LISTS)('are in the list of their organizer, and of an admin: /events/%s', async (query) => {
    for (const client of [organizer, api.client]) {
      const path = `/events/${query}&organizer_id=${organizerId}`;
      expect(await statusesIn(client, path)).toEqual([...STATUSES].sort());
    }
  });

  it('are shown page by page there, in each order', async () => {
    for (const query of LISTS) {
      const pages = await organizer.pages<{ id: number }>(
        `/events/${query}&organizer_id=${organizerId}&limit=2`,
      );
      const found = pages.map((page) => page.map(({ id }) => id));
      expect(found).toEqual([[ids.draft, ids.published], [ids.cancelled]]);
    }
  });

  it('are those of the organizer who asks, and of no other', async () => {
    expect(await statusesIn(organizer, '/events/?organizer_id=999999')).toEqual([]);
    const { body } = await stranger.post('/events/', { ...eventBody(), status: 'draft' });
    expect(await statusesIn(organizer, `/events/?organizer_id=${body.organizer_id}`)).toEqual([]);
    expect(await statusesIn(stranger, `/events/?organizer_id=${body.organizer_id}`)).toEqual(['draft']);
  });

  it('answer by id: a draft to its organizer and an admin, a cancelled one to everybody', async () => {
    for (const client of [organizer, api.client]) {
      expect((await client.get(`/events/${ids.draft}`)).body).toMatchObject({
        id: ids.draft,
        status: 'draft',
      });
    }
    for (const client of [nobody, stranger]) {
      const answer = await client.get(`/events/${ids.draft}`);
      expectProblem(answer, 404, 'event_not_found', { detail: 'Event not found' });
      expect((await client.get(`/events/${ids.cancelled}`)).body.status).toBe('cancelled');
    }
  });

  it('that have no organizer are drafts of an admin', async () => {
    const { id } = await api.create.event({ status: 'draft' });
    await api.sql('UPDATE events SET organizer_id = NULL WHERE id = $1', [id]);
    for (const client of [nobody, stranger]) {
      expectProblem(await client.get(`/events/${id}`), 404, 'event_not_found');
    }
    expectRefusal(await stranger.post('/tickets/', { event_id: id }), 'event_not_found');
    expectRefusal(await api.client.post('/tickets/', { event_id: id }), 'event_not_published');
    expect((await api.client.get(`/events/${id}`)).status).toBe(200);
  });

  describe('sell nothing', () => {
    afterAll(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));

    const reserve = (client: Client, event: keyof typeof ids, fields: object = {}, key?: string) =>
      client.post('/tickets/', { event_id: ids[event], ...fields }, key ? { 'Idempotency-Key': key } : {});

    it.each([undefined, 'a-key'])('and a draft is not there for strangers, with the key %s', async (key) => {
      expectRefusal(await reserve(stranger, 'draft', {}, key), 'event_not_found');
      expectRefusal(await reserve(organizer, 'draft', {}, key), 'event_not_published');
      expectRefusal(await reserve(api.client, 'draft', {}, key), 'event_not_published');
      const { id } = await api.create.user();
      expectRefusal(
        await reserve(api.client, 'draft', { user_id: id }, key && `${key}-of-theirs`),
        'event_not_published',
      );
    });

    it('but a published one beside them, also in one batch', async () => {
      const answers = await Promise.all(
        STATUSES.flatMap((status) => [stranger, organizer].map((client) => reserve(client, status))),
      );
      expect(answers.map(({ body }) => body.code ?? body.status)).toEqual([
        'event_not_found',
        'event_not_published',
        'reserved',
        'reserved',
        'event_not_published',
        'event_not_published',
      ]);
    });

    it('and say so before they say that they are over or sold out', async () => {
      const { body } = await organizer.post('/events/', {
        ...eventBody(),
        start_time: '2001-01-01T00:00:00Z',
        end_time: '2001-01-01T00:00:00Z',
        total_tickets: 0,
        status: 'draft',
      });
      expectRefusal(await organizer.post('/tickets/', { event_id: body.id }), 'event_not_published');
      expectRefusal(await stranger.post('/tickets/', { event_id: body.id }), 'event_not_found');
    });

    it('though what was sold of a cancelled one stays as it is', async () => {
      const event = await api.create.event();
      const { body: ticket } = await stranger.post('/tickets/', { event_id: event.id });
      await api.sql(`UPDATE events SET status = 'cancelled' WHERE id = $1`, [event.id]);
      expect((await stranger.get(`/tickets/${ticket.id}`)).body.status).toBe('reserved');
    });
  });
});
