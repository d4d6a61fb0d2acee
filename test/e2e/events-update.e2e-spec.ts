import { startTestApi, type TestApi } from '../support/api';
import type { Client } from '../support/client';
import { expectProblem } from '../support/problems';
import { titled } from '../support/tables';
import { tokenOf } from '../support/tokens';

const ALL = {
  title: 'Night of the Analytical Engine',
  description: 'An evening of music.',
  start_time: '2099-06-01T19:00:00.000Z',
  end_time: '2099-06-01T22:00:00.000Z',
  total_tickets: 10,
  venue: { address: 'Alexandra Palace Way', latitude: 51.5942, longitude: -0.1306 },
  status: 'draft',
  currency: 'GBP',
  timezone: 'Europe/London',
  max_tickets_per_user: 8,
  metadata: { season: '2099', crm: '7' },
};

describe('PATCH /events/{event_id}', () => {
  let api: TestApi;
  let organizer: Client;

  beforeAll(async () => {
    api = await startTestApi();
    const { id } = await api.create.user();
    organizer = api.client.as(tokenOf(id));
  });
  afterAll(() => api.stop());

  const create = async (fields: object = {}) =>
    (await organizer.post('/events/', { ...ALL, ...fields })).body;
  const patch = ({ id }: { id: number }, body: unknown, headers: Record<string, string> = {}) =>
    organizer.send('PATCH', `/events/${id}`, {
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', ...headers },
    });
  const show = async ({ id }: { id: number }) => (await organizer.get(`/events/${id}`)).body;

  it.each([
    [{}, {}],
    [{ title: 'Day' }, { title: 'Day' }],
    [{ title: 'Cafe\u0301' }, { title: 'Café' }],
    [{ description: 'Two\nlines' }, { description: 'Two\nlines' }],
    [{ description: null }, { description: '' }],
    [{ start_time: '2099-06-01T22:00:00Z' }, { start_time: '2099-06-01T22:00:00.000Z' }],
    [{ end_time: '2099-06-01T21:00:00+02:00' }, { end_time: '2099-06-01T19:00:00.000Z' }],
    [
      { start_time: '2100-01-01T00:00:00Z', end_time: '2100-01-02T00:00:00Z' },
      { start_time: '2100-01-01T00:00:00.000Z', end_time: '2100-01-02T00:00:00.000Z' },
    ],
    [{ total_tickets: 0 }, { total_tickets: 0, tickets_available: 0 }],
    [{ total_tickets: 11 }, { total_tickets: 11, tickets_available: 11 }],
    [{ venue: {} }, {}],
    [{ venue: { address: null } }, { venue: { ...ALL.venue, address: null } }],
    [{ venue: { address: 'There' } }, { venue: { ...ALL.venue, address: 'There' } }],
    [{ venue: { latitude: 0, longitude: 0 } }, { venue: { ...ALL.venue, latitude: 0, longitude: 0 } }],
    [
      { venue: { latitude: null, longitude: null } },
      { venue: { ...ALL.venue, latitude: null, longitude: null } },
    ],
    [{ status: 'draft' }, {}],
    [{ status: 'published' }, { status: 'published' }],
    [{ currency: 'JPY' }, { currency: 'JPY' }],
    [{ currency: null }, { currency: null }],
    [{ timezone: 'Asia/Tokyo' }, { timezone: 'Asia/Tokyo' }],
    [{ timezone: null }, { timezone: 'UTC' }],
    [{ max_tickets_per_user: 1 }, { max_tickets_per_user: 1 }],
    [{ max_tickets_per_user: null }, { max_tickets_per_user: null }],
    [{ metadata: {} }, {}],
    [{ metadata: null }, { metadata: {} }],
    [{ metadata: { crm: null, season: '2100', new: '' } }, { metadata: { season: '2100', new: '' } }],
    [{ metadata: { gone: null } }, {}],
  ])('changes what %j says, and leaves the rest', async (changes, changed) => {
    const event = await create();
    const { status, body } = await patch(event, changes);
    expect([status, body]).toEqual([200, { ...event, ...changed }]);
    expect(await show(event)).toEqual(body);
  });

  it.each(
    titled([
      ['title', null],
      ['title', ''],
      ['start_time', null],
      ['start_time', '2099-06-01T19:00:00'],
      ['start_time', '2099-06-01T22:00:00.001Z'],
      ['end_time', null],
      ['end_time', '2099-06-01T18:59:59.999Z'],
      ['total_tickets', null],
      ['total_tickets', -1],
      ['total_tickets', 10_000_001],
      ['venue', null],
      ['venue', []],
      ['status', null],
      ['status', 'cancelled'],
      ['currency', 'gbp'],
      ['timezone', 'Nowhere/Land'],
      ['max_tickets_per_user', 0],
      ['metadata', []],
      ['metadata', { x: 5 }],
      ['metadata', Object.fromEntries(Array.from({ length: 19 }, (_, i) => [`n${i}`, 'x']))],
      ['organizer_id', 1],
      ['tickets_sold', 1],
      ['version', 1],
      ['id', 1],
      ['created_at', '2030-01-01T00:00:00Z'],
    ]),
  )('refuses %s %s, and changes nothing', async (field, _title, value) => {
    const event = await create();
    expectProblem(await patch(event, { description: 'x', [field]: value }), 422, 'validation_failed', {
      pointers: [`/${field}`],
    });
    expect(await show(event)).toEqual(event);
  });

  it.each([
    [{ latitude: 0 }, ['/venue/latitude']],
    [{ longitude: null }, ['/venue/longitude']],
    [{ latitude: 91, longitude: 0 }, ['/venue/latitude']],
    [{ name: 'Palace' }, ['/venue/name']],
  ])('refuses the venue %j', async (venue, pointers) => {
    expectProblem(await patch(await create(), { venue }), 422, 'validation_failed', { pointers });
  });

  it('moves start and end past each other together, and names the one that does not fit', async () => {
    const event = await create();
    const [earlier, later] = ['2098-01-01T00:00:00Z', '2100-01-01T00:00:00Z'];
    for (const changes of [{ start_time: later }, { end_time: earlier }]) {
      const pointers = Object.keys(changes).map((field) => `/${field}`);
      expectProblem(await patch(event, changes), 422, 'validation_failed', { pointers });
    }
    const both = { start_time: later, end_time: earlier };
    expectProblem(await patch(event, both), 422, 'validation_failed', { pointers: ['/end_time'] });
    expect((await patch(event, { start_time: earlier, end_time: earlier })).status).toBe(200);
    expect((await patch(event, { start_time: later, end_time: later })).status).toBe(200);
  });

  it('is found by its new words, place and time', async () => {
    const event = await create({ status: 'published' });
    await patch(event, {
      title: 'Xylophone',
      start_time: '2098-01-01T00:00:00Z',
      venue: { latitude: -45.5, longitude: 170.5 },
    });
    for (const query of ['q=xylo', 'near=-45.5,170.5', 'starts_before=2098-01-02T00:00:00Z']) {
      const { body } = await api.client.get<{ id: number }[]>(`/events/?${query}`);
      expect(body.map(({ id }) => id)).toEqual([event.id]);
    }
    const { body: old } = await api.client.get<{ id: number }[]>('/events/?near=51.5942,-0.1306');
    expect(old.map(({ id }) => id)).not.toContain(event.id);
  });

  describe('status', () => {
    it('of a draft becomes published, and is in lists then', async () => {
      const event = await create({ title: 'Premiere' });
      expect((await api.client.as('').get('/events/?q=premiere')).body).toEqual([]);
      expect((await patch(event, { status: 'published' })).body.status).toBe('published');
      expect((await api.client.as('').get('/events/?q=premiere')).body).toHaveLength(1);
      expect((await patch(event, { status: 'published' })).status).toBe(200);
      expectProblem(await patch(event, { status: 'draft' }), 409, 'event_status_fixed');
    });

    it('of a cancelled event stays, and the rest can be changed', async () => {
      const event = await create();
      await api.sql(`UPDATE events SET status = 'cancelled' WHERE id = $1`, [event.id]);
      for (const status of ['draft', 'published']) {
        expectProblem(await patch(event, { status }), 409, 'event_status_fixed');
      }
      const { body } = await patch(event, { description: 'It rains.' });
      expect(body).toMatchObject({ status: 'cancelled', description: 'It rains.' });
    });
  });

  describe('currency', () => {
    it('is fixed with the first ticket, also where that has ended', async () => {
      const event = await create({ status: 'published' });
      const { body: ticket } = await organizer.post('/tickets/', { event_id: event.id });
      await organizer.post(`/tickets/${ticket.id}/cancel`);
      for (const currency of ['EUR', null]) {
        expectProblem(await patch(event, { currency }), 409, 'currency_fixed');
      }
      expect((await patch(event, { currency: 'GBP', title: 'Same' })).status).toBe(200);
    });

    it('is taken where there was none, whatever was given away before', async () => {
      const event = await create({ status: 'published', currency: null });
      await organizer.post('/tickets/', { event_id: event.id });
      expect((await patch(event, { currency: 'EUR' })).body.currency).toBe('EUR');
      expectProblem(await patch(event, { currency: 'USD' }), 409, 'currency_fixed');
    });
  });

  it('of an event that lost its counters changes all but these', async () => {
    const event = await create();
    await api.sql('DELETE FROM quotas WHERE event_id = $1', [event.id]);
    expect((await patch(event, { title: 'Day' })).status).toBe(200);
    expectProblem(await patch(event, { total_tickets: 5 }), 503, 'service_unavailable');
    expectProblem(await organizer.send('DELETE', `/events/${event.id}`), 503, 'service_unavailable');
  });
});
