import { startTestApi, type TestApi } from '../support/api';
import { eventBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { titled } from '../support/tables';
import { TEST_ADMIN } from '../support/tokens';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const NOWHERE = { address: null, latitude: null, longitude: null };

describe('events', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  const post = (body: unknown) => api.client.post('/events/', body);
  const show = async ({ id }: { id: number }) => (await api.client.get(`/events/${id}`)).body;

  describe('POST /events/', () => {
    it('creates an event of the least there is to say, and tells where it is', async () => {
      const {
        status,
        headers,
        body: event,
      } = await post({
        title: 'Night',
        start_time: '2099-06-01T19:00:00Z',
        end_time: '2099-06-01T22:00:00Z',
        total_tickets: 10,
        venue: {},
      });
      expect(status).toBe(201);
      expect(event).toEqual({
        id: expect.any(Number),
        organizer_id: TEST_ADMIN.id,
        status: 'published',
        title: 'Night',
        description: '',
        start_time: '2099-06-01T19:00:00.000Z',
        end_time: '2099-06-01T22:00:00.000Z',
        total_tickets: 10,
        tickets_sold: 0,
        tickets_held: 0,
        tickets_available: 10,
        venue: NOWHERE,
        currency: null,
        timezone: 'UTC',
        max_tickets_per_user: null,
        metadata: {},
        created_at: expect.stringMatching(INSTANT),
        unlisted_at: null,
      });
      expect(Math.abs(Date.parse(event.created_at) - Date.now())).toBeLessThan(60_000);
      expect(headers.get('location')).toBe(`/events/${event.id}`);
      expect(await show(event)).toEqual(event);
    });

    it('creates an event of all there is to say', async () => {
      const body = {
        title: 'Night of the Analytical Engine',
        description: 'An evening of music for one engine and orchestra.\n\nDoors open at six.',
        start_time: '2099-06-01T19:00:00.000Z',
        end_time: '2099-06-01T22:00:00.000Z',
        total_tickets: 500,
        venue: { address: 'Alexandra Palace Way, London', latitude: 51.5942, longitude: -0.1306 },
        status: 'draft',
        currency: 'GBP',
        timezone: 'Europe/London',
        max_tickets_per_user: 8,
        metadata: { season: '2099/00', 'crm id': '' },
      };
      const { status, body: event } = await post(body);
      expect(status).toBe(201);
      expect(event).toEqual({
        ...body,
        id: expect.any(Number),
        organizer_id: TEST_ADMIN.id,
        tickets_sold: 0,
        tickets_held: 0,
        tickets_available: 500,
        created_at: expect.stringMatching(INSTANT),
        unlisted_at: null,
      });
      expect(await show(event)).toEqual(event);
    });

    it.each([
      [{}, NOWHERE],
      [{ address: null, latitude: null, longitude: null }, NOWHERE],
      [{ address: '' }, { ...NOWHERE, address: '' }],
      [
        { latitude: 0, longitude: 0 },
        { address: null, latitude: 0, longitude: 0 },
      ],
      [
        { latitude: -90, longitude: -180 },
        { address: null, latitude: -90, longitude: -180 },
      ],
      [
        { latitude: 90, longitude: 180, address: '極地' },
        { address: '極地', latitude: 90, longitude: 180 },
      ],
    ])('takes the venue %j', async (venue, answered) => {
      const event = await api.create.event({ venue });
      expect(event.venue).toEqual(answered);
      expect((await show(event)).venue).toEqual(answered);
    });

    it.each([
      ['left out', undefined, ''],
      ['null', null, ''],
      ['empty', '', ''],
      ['blank', ' \n', ' \n'],
      ['of 10,000 letters', 'd'.repeat(10_000), 'd'.repeat(10_000)],
      ['of 10,000 emoji', '🎻'.repeat(10_000), '🎻'.repeat(10_000)],
    ])('takes a description that is %s', async (_what, description, answered) => {
      const event = await api.create.event({ description });
      expect(event.description).toBe(answered);
      expect((await show(event)).description).toBe(answered);
    });

    it('takes the longest description also with every character escaped', async () => {
      const description = '\\ud83c\\udfbb'.repeat(10_000);
      const body = JSON.stringify({ ...eventBody(), description: '' }).replace('""', `"${description}"`);
      const answer = await api.client.send('POST', '/events/', {
        headers: { 'Content-Type': 'application/json' },
        body,
      });
      expect(answer).toMatchObject({ status: 201, body: { description: '🎻'.repeat(10_000) } });
    });

    it.each([
      ['emoji, one of them joined from four', '🎻 Night 👩‍👩‍👧‍👦 🇬🇧'],
      ['right to left', 'לילה של מוזיקה'],
      ['both directions', 'ليلة Analytical Engine ٢٠٣٠'],
      ['joiners within words', 'می\u200cخواهم'],
      ['200 letters', 't'.repeat(200)],
      ['200 emoji, which are 400 UTF-16 units', '🎻'.repeat(200)],
      ['one letter', 't'],
    ])('gives a title of %s back unchanged', async (_what, title) => {
      const event = await api.create.event({ title });
      expect(event.title).toBe(title);
      expect((await show(event)).title).toBe(title);
    });

    it('composes the letters of a title', async () => {
      expect((await api.create.event({ title: 'Cafe\u0301 Zu\u0308rich' })).title).toBe('Café Zürich');
    });

    it('takes a description of several lines', async () => {
      const description = 'Doors at 7\r\n\tMusic at 8\u2028…';
      expect(await api.create.event({ description })).toMatchObject({ description });
    });

    it.each([
      ['Z', '2031-03-31T12:00:00Z', '2031-03-31T12:00:00.000Z'],
      ['milliseconds', '2031-03-31T12:00:00.007Z', '2031-03-31T12:00:00.007Z'],
      [
        'more digits, of which the millisecond is kept',
        '2031-03-31T12:00:00.9999999Z',
        '2031-03-31T12:00:00.999Z',
      ],
      ['an offset to the east', '2031-03-31T01:30:00+05:45', '2031-03-30T19:45:00.000Z'],
      ['an offset to the west', '2031-12-31T23:00:00-09:30', '2032-01-01T08:30:00.000Z'],
      ['small letters', '2031-03-31t12:00:00z', '2031-03-31T12:00:00.000Z'],
      ['29 February of a leap year', '2032-02-29T00:00:00Z', '2032-02-29T00:00:00.000Z'],
      ['the first instant there is', '0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
      ['long past', '1755-11-01T09:40:00Z', '1755-11-01T09:40:00.000Z'],
    ])('takes a time with %s', async (_what, start_time, answered) => {
      const event = await api.create.event({ start_time, end_time: '9999-12-31T23:59:59.999Z' });
      expect(event).toMatchObject({ start_time: answered, end_time: '9999-12-31T23:59:59.999Z' });
      expect(await show(event)).toEqual(event);
    });

    it.each(
      titled([
        ['start_time', '2099-06-01T19:00:00'],
        ['end_time', '2099-06-01T22:00:00'],
        ['start_time', '2099-06-01'],
        ['start_time', '2099-06-01 19:00:00Z'],
        ['start_time', '2099-06-01T19:00Z'],
        ['start_time', '2030-02-30T19:00:00Z'],
        ['start_time', '2030-02-29T19:00:00Z'],
        ['start_time', '2030-13-01T19:00:00Z'],
        ['start_time', '2030-06-01T24:00:00Z'],
        ['start_time', '2016-12-31T23:59:60Z'],
        ['start_time', '0000-06-01T19:00:00Z'],
        ['start_time', '0001-01-01T00:30:00+01:00'],
        ['end_time', '9999-12-31T23:59:59-01:00'],
        ['end_time', '10000-01-01T00:00:00Z'],
        ['end_time', '+012026-01-01T00:00:00Z'],
        ['end_time', 'infinity'],
        ['start_time', 'now'],
        ['start_time', ''],
        ['start_time', 1_906_570_800],
        ['start_time', null],
        ['end_time', undefined],
        ['end_time', '2099-06-01T18:59:59.999Z'],
        ['end_time', '2099-06-01T20:30:00+02:00'],
        ['title', undefined],
        ['title', null],
        ['title', ''],
        ['title', ' \t\n'],
        ['title', 'a\tb'],
        ['title', 'a\u0001b'],
        ['title', '\u2800'],
        ['title', 't'.repeat(201)],
        ['description', 'a\u001bb'],
        ['title', '🎻'.repeat(201)],
        ['title', 5],
        ['title', ['Night']],
        ['description', 'd'.repeat(10_001)],
        ['description', '🎻'.repeat(10_001)],
        ['description', 5],
        ['description', {}],
        ['total_tickets', undefined],
        ['total_tickets', null],
        ['total_tickets', -1],
        ['total_tickets', 10_000_001],
        ['total_tickets', 2 ** 31],
        ['total_tickets', 2 ** 63],
        ['total_tickets', 1e300],
        ['total_tickets', 1.5],
        ['total_tickets', 1e-9],
        ['total_tickets', '5'],
        ['total_tickets', true],
        ['total_tickets', [5]],
        ['venue', undefined],
        ['venue', null],
        ['venue', []],
        ['venue', [{}]],
        ['venue', 'Alexandra Palace'],
        ['venue', 5],
      ]),
    )('refuses %s %s', async (field, _title, value) => {
      expectProblem(await post({ ...eventBody(), [field]: value }), 422, 'validation_failed', {
        pointers: [`/${field}`],
      });
    });

    it.each([
      [{ latitude: 0 }, ['/venue/latitude']],
      [{ longitude: 0, latitude: null }, ['/venue/longitude']],
      [{ latitude: 90.1, longitude: 0 }, ['/venue/latitude']],
      [{ latitude: 0, longitude: -180.0001 }, ['/venue/longitude']],
      [{ latitude: '0', longitude: [0] }, ['/venue/latitude', '/venue/longitude']],
      [{ address: 5 }, ['/venue/address']],
      [{ address: 'a'.repeat(256) }, ['/venue/address']],
      [{ name: 'Palace', city: 'London' }, ['/venue/name', '/venue/city']],
    ])('refuses the venue %j', async (venue, pointers) => {
      expectProblem(await post({ ...eventBody(), venue }), 422, 'validation_failed', { pointers });
    });

    it.each([
      ['the same instant', '2099-06-01T19:00:00Z', '2099-06-01T19:00:00Z'],
      ['the same instant, said otherwise', '2099-06-01T19:00:00Z', '2099-06-01T21:00:00+02:00'],
      ['years of length', '2099-06-01T19:00:00Z', '2199-06-01T19:00:00Z'],
      ['a past event', '2001-06-01T19:00:00Z', '2001-06-01T22:00:00Z'],
    ])('takes a start and an end with %s', async (_what, start_time, end_time) => {
      expect((await post({ ...eventBody(), start_time, end_time })).status).toBe(201);
    });

    it.each([0, 1, 10_000_000])('takes %d tickets', async (total_tickets) => {
      const event = await api.create.event({ total_tickets });
      expect(event).toMatchObject({ total_tickets, tickets_available: total_tickets });
      expect(await show(event)).toEqual(event);
    });

    it('takes no counter from outside', async () => {
      const counters = { tickets_sold: 1, tickets_held: 1, tickets_available: 1 };
      expectProblem(await post({ ...eventBody(), ...counters, id: 1 }), 422, 'validation_failed', {
        pointers: ['/tickets_sold', '/tickets_held', '/tickets_available', '/id'],
      });
    });

    it('leaves nothing behind when it refuses', async () => {
      const count =
        'SELECT (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM quotas) AS inventories';
      const before = await api.sql(count);
      await post({ ...eventBody(), total_tickets: -1 });
      await post({ ...eventBody(), venue: { latitude: 1 } });
      expect(await api.sql(count)).toEqual(before);
    });
  });
});
