import { EventsQuery, NearbyEventsQuery } from '../../src/events/events-query.dto';
import { cursorAfter, ofList, PageQuery } from '../../src/http/page';
import { startTestApi, type TestApi } from '../support/api';
import { makeOrders, sellEvents } from '../support/fill';
import { expectProblem } from '../support/problems';
import { REMOVE_EVENTS } from '../support/seats';

interface Row {
  id: number;
}

const VENUE = { latitude: 51.5, longitude: 0 };
const linkOf = (headers: Headers) => headers.get('link');
const nextOf = (headers: Headers) => /^<([^>]+)>; rel="next"$/.exec(linkOf(headers) ?? '')?.[1];
const idsOf = (rows: Row[]) => rows.map(({ id }) => id);
/** The lengths of the pages of six rows, by `limit`. */
const LENGTHS_OF_6 = { 1: [1, 1, 1, 1, 1, 1], 2: [2, 2, 2], 3: [3, 3], 4: [4, 2], 6: [6], 7: [6], 200: [6] };

const base64url = (json: string) => Buffer.from(json).toString('base64url');

describe('paging', () => {
  let api: TestApi;
  let user: Row;
  let lists: Record<'events' | 'nearby' | 'tickets', string>;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    user = await api.create.user({ location_latitude: 51.5, location_longitude: 0 });
    lists = {
      events: '/events/',
      nearby: `/users/for-you/?user_id=${user.id}`,
      tickets: `/users/${user.id}/tickets`,
    };
  });
  afterEach(async () => {
    await api.sql(REMOVE_EVENTS);
  });
  afterAll(() => api.stop());

  /** A cursor with this sort key, as the list itself would make it. */
  const cursorOf = (list: keyof typeof lists, key: unknown[]) =>
    cursorAfter(
      key,
      {
        events: new EventsQuery(),
        nearby: Object.assign(new NearbyEventsQuery(), { user_id: user.id }),
        tickets: ofList(new PageQuery(), 'tickets', user.id),
      }[list],
    );
  const and = (path: string, query: string) => `${path}${path.includes('?') ? '&' : '?'}${query}`;
  const page = (path: string) => api.client.get<Row[]>(path);
  const day = (n: number) => new Date(Date.UTC(2050, 0, n)).toISOString();

  /** An event in every list that has events, `n` days and as many hundred metres away. */
  const event = (n: number, fields: object = {}): Promise<Row> =>
    api.create.event({
      start_time: day(n),
      end_time: '2090-01-01T00:00:00Z',
      venue: { ...VENUE, latitude: VENUE.latitude + n / 1_000 },
      total_tickets: 1_000,
      ...fields,
    });
  const events = async (...days: number[]) => {
    const rows: Row[] = [];
    for (const n of days) rows.push(await event(n));
    return idsOf(rows);
  };
  const tickets = async (number: number) => {
    const { id: event_id } = await event(1);
    const rows: Row[] = [];
    for (let i = 0; i < number; i++) rows.push(await api.create.ticket({ user_id: user.id, event_id }));
    return idsOf(rows).reverse();
  };

  /** Fills a list with so many rows; answers their ids in the order that the list has to have. */
  const fill = {
    events: (number: number) => events(...Array.from({ length: number }, (_, i) => i + 1)),
    nearby: (number: number) => fill.events(number),
    tickets,
  };

  describe.each(['events', 'nearby', 'tickets'] as const)('of %s', (list) => {
    it('answers 50 unless asked otherwise, and the way to the rest', async () => {
      const ids = await fill[list](53);
      const first = await page(lists[list]);
      expect(first.status).toBe(200);
      expect(idsOf(first.body)).toEqual(ids.slice(0, 50));
      const next = nextOf(first.headers) ?? '';
      expect(next.startsWith(`${lists[list].split('?')[0]}?`)).toBe(true);
      const rest = await page(next);
      expect(idsOf(rest.body)).toEqual(ids.slice(50));
      expect(linkOf(rest.headers)).toBeNull();
    });

    it('shows each row once, in order, however many at a time', async () => {
      const ids = await fill[list](6);
      for (const [limit, lengths] of Object.entries(LENGTHS_OF_6)) {
        const pages = await api.client.pages<Row>(and(lists[list], `limit=${limit}`));
        expect(pages.map(({ length }) => length)).toEqual(lengths);
        expect(idsOf(pages.flat())).toEqual(ids);
      }
    });

    it('answers 200 at most', async () => {
      await fill[list](1);
      await multiply();
      const { body, headers } = await page(and(lists[list], 'limit=200'));
      expect(body).toHaveLength(200);
      expect(nextOf(headers)).toBeDefined();
      expect(new Set(idsOf((await api.client.pages<Row>(and(lists[list], 'limit=200'))).flat())).size).toBe(
        250,
      );
    });

    it('has no next page where there is nothing', async () => {
      const { status, body, headers } = await page(lists[list]);
      expect({ status, body, link: linkOf(headers) }).toEqual({ status: 200, body: [], link: null });
    });

    it.each([
      '0',
      '-1',
      '201',
      '1.5',
      '1e1',
      'ten',
      '',
      '%205',
      '5%20',
      '%2B5',
      '5%00',
      '9'.repeat(400),
      '5&limit=5',
    ])('refuses limit=%s', async (limit) => {
      expectProblem(await page(and(lists[list], `limit=${limit}`)), 422, 'validation_failed', {
        pointers: ['/limit'],
      });
    });

    it.each([
      ['nothing', ''],
      ['text', 'abc'],
      ['a NUL', '%00'],
      ['letters that no cursor has', '%F0%9F%8E%BB'],
      ['no JSON', base64url('[1,')],
      ['null', base64url('null')],
      ['an object', base64url('{"id":1}')],
      ['a key of no list', base64url('[1]')],
      ['an empty key', []],
      ['too long a key', [1, 1, 1, 1]],
      ['a key with an id of 0', [0]],
      ['a key with an id out of range', [2 ** 53]],
      ['an impossible time', ['2050-02-30T00:00:00.000Z', 1]],
      ['a time out of range', ['0000-01-01T00:00:00.000Z', 1]],
      ['SQL', ["'; DROP TABLE events;--", 1]],
      ['8,000 characters', 'A'.repeat(8_000)],
      ['another cursor', 'abc&cursor=abc'],
    ])('refuses a cursor of %s', async (_what, forged) => {
      const cursor = typeof forged === 'string' ? forged : cursorOf(list, forged);
      expectProblem(await page(and(lists[list], `cursor=${cursor}`)), 422, 'validation_failed', {
        pointers: ['/cursor'],
      });
    });

    it('refuses the cursors of the other lists', async () => {
      await events(1, 2);
      await tickets(2);
      for (const other of Object.values(lists).filter((path) => path !== lists[list])) {
        const { headers } = await page(and(other, 'limit=1'));
        const foreign = new URL(nextOf(headers) ?? '', api.client.url).searchParams.get('cursor');
        expect(foreign).toMatch(/^[\w-]+$/);
        expectProblem(await page(and(lists[list], `cursor=${foreign}`)), 422, 'validation_failed', {
          pointers: ['/cursor'],
        });
      }
    });

    it('refuses what it does not know', async () => {
      expectProblem(await page(and(lists[list], 'offset=5&page=2')), 422, 'validation_failed', {
        pointers: ['/offset', '/page'],
      });
    });
  });

  it.each(['events', 'nearby'] as const)(
    'of %s neither repeats nor hides a row when others are inserted meanwhile',
    async (list) => {
      const [a, c, e, g] = await events(2, 4, 6, 8);
      const first = await page(and(lists[list], 'limit=2'));
      expect(idsOf(first.body)).toEqual([a, c]);
      const [, , d, f, h] = await events(1, 3, 5, 7, 9);
      const rest = await api.client.pages<Row>(nextOf(first.headers) ?? '');
      expect(rest.map(idsOf)).toEqual([[d, e], [f, g], [h]]);
    },
  );

  it('of tickets neither repeats nor hides a row when others are inserted meanwhile', async () => {
    const ids = await tickets(5);
    const first = await page(`${lists.tickets}?limit=2`);
    await tickets(3);
    const rest = await api.client.pages<Row>(nextOf(first.headers) ?? '');
    expect([idsOf(first.body), ...rest.map(idsOf)]).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
  });

  it.each([
    ['events', { start_time: day(3) }],
    ['nearby', { venue: VENUE }],
  ] as const)('of %s tells rows with the same sort key apart by their id', async (list, same) => {
    const ids: number[] = [];
    for (const n of [5, 1, 4, 2, 3, 7, 6]) ids.push((await event(n, same)).id);
    const last = await event(9);
    for (const limit of [1, 2, 3, 7]) {
      const pages = await api.client.pages<Row>(and(lists[list], `limit=${limit}`));
      expect(idsOf(pages.flat())).toEqual([...ids, last.id]);
    }
  });

  it('goes on behind a row that is gone', async () => {
    const [first, second, third] = await events(1, 2, 3);
    const { body, headers } = await page('/events/?limit=2');
    expect(idsOf(body)).toEqual([first, second]);
    await api.sql('DELETE FROM quotas WHERE event_id = $1', [second]);
    await api.sql('DELETE FROM events WHERE id = $1', [second]);
    expect(idsOf((await page(nextOf(headers) ?? '')).body)).toEqual([third]);
  });

  it('keeps the filters in the link', async () => {
    const [, b, c, d] = await events(1, 2, 3, 4, 5);
    const query = `starts_after=${encodeURIComponent('2050-01-02T01:00:00+01:00')}&starts_before=${day(5)}&limit=1`;
    const { headers } = await page(`/events/?${query}`);
    const { pathname, searchParams } = new URL(nextOf(headers) ?? '', api.client.url);
    expect({ pathname, ...Object.fromEntries(searchParams) }).toEqual({
      pathname: '/events/',
      starts_after: '2050-01-02T01:00:00+01:00',
      starts_before: day(5),
      limit: '1',
      cursor: expect.stringMatching(/^[\w-]+$/),
    });
    const pages = await api.client.pages<Row>(`/events/?${query}`);
    expect(pages.map(idsOf)).toEqual([[b], [c], [d]]);
  });

  it('keeps the user and the radius in the link', async () => {
    const ids = await events(1, 2, 3);
    await event(1_000);
    const pages = await api.client.pages<Row>(`${lists.nearby}&max_distance_km=5&limit=1`);
    expect(pages.map(idsOf)).toEqual(ids.map((id) => [id]));
  });

  it('takes a cursor only with the filters that it was made with', async () => {
    await events(1, 2, 3);
    const { headers } = await page(`/events/?limit=1&starts_before=${day(9)}`);
    const next = nextOf(headers) ?? '';
    expect((await page(next)).status).toBe(200);
    expect((await page(next.replace('limit=1', 'limit=2'))).body).toHaveLength(2);
    for (const other of [
      next.replace(/starts_before=[^&]+&/, ''),
      next.replace(/starts_before=[^&]+/, `starts_before=${day(8)}`),
      `${next}&available=true`,
    ]) {
      expectProblem(await page(other), 422, 'validation_failed', { pointers: ['/cursor'] });
    }
  });

  it('keeps a filter whose value has a question mark', async () => {
    for (const n of [1, 2, 3]) await event(n, { title: 'Quiz', total_tickets: n === 2 ? 0 : 10 });
    const pages = await api.client.pages<Row & { tickets_available: number }>(
      '/events/?q=quiz?&available=true&limit=1&sort=start_time',
    );
    expect(pages.flat().map(({ tickets_available }) => tickets_available)).toEqual([10, 10]);
  });

  /** Makes 250 of the one event and the one ticket there may be. */
  async function multiply(): Promise<void> {
    await api.sql(
      `INSERT INTO events (title, start_time, end_time, venue_latitude, venue_longitude)
       SELECT title, start_time, end_time, venue_latitude, venue_longitude
       FROM events, generate_series(2, 250)`,
    );
    await api.sql(
      sellEvents('SELECT id, 1000, 0, 0 FROM events WHERE id NOT IN (SELECT event_id FROM quotas)'),
    );
    await api.sql(
      makeOrders(`SELECT user_id, event_id, 'cancelled', created_at, expires_at, NULL::timestamptz
        FROM ticket_states, generate_series(2, 250)`),
    );
  }
});
