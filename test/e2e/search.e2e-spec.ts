import fc from 'fast-check';
import { EventsQuery } from '../../src/events/events-query.dto';
import { haversineKm, type Coordinates } from '../../src/events/haversine';
import { cursorAfter } from '../../src/http/page';
import { startTestApi, type TestApi } from '../support/api';
import { eventually } from '../support/eventually';
import { expectProblem } from '../support/problems';
import { REMOVE_EVENTS } from '../support/seats';

interface Found {
  id: number;
  title: string;
  distance_km?: number;
}

const LONDON = { latitude: 51.5072, longitude: -0.1276 };
const nearLondon = `near=${LONDON.latitude},${LONDON.longitude}`;
const YEAR_MS = 365 * 86_400_000;

type Parameters = Record<string, string | number | undefined>;

const toQuery = (parameters: Parameters) => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) query.set(name, String(value));
  return query.toString();
};

const idsOf = (rows: { id: number }[]) => rows.map(({ id }) => id);
const ascending = (numbers: number[]) => [...numbers].sort((a, b) => a - b);

describe('GET /events/ with filters', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  const ask = (query: Parameters | string) =>
    api.client.get<Found[]>(`/events/?${typeof query === 'string' ? query : toQuery(query)}`);
  const find = async (query: Parameters | string): Promise<number[]> => {
    const { status, body } = await ask(query);
    expect(status).toBe(200);
    return idsOf(body);
  };
  const pagesOf = async (path: string) => (await api.client.pages<Found>(path)).map(idsOf);
  const event = async (fields: object): Promise<number> => (await api.create.event(fields)).id;

  describe('q', () => {
    afterEach(() => api.sql(REMOVE_EVENTS));

    it('finds the events that have all of the words, in title, address or description', async () => {
      const both = await event({ title: 'Jazz on the river' });
      const spread = await event({ title: 'Jazz', venue: { address: '1 River Walk' } });
      const told = await event({ title: 'Night', description: 'Jazz, down by the river.' });
      await event({ title: 'River' });
      await event({ title: 'Jazz' });
      expect(ascending(await find({ q: 'river jazz' }))).toEqual([both, spread, told]);
      expect(await find({ q: 'river jazz piano' })).toEqual([]);
    });

    it('takes the last word for the beginning of one, and no other', async () => {
      const rocket = await event({ title: 'Rocket science' });
      const rock = await event({ title: 'Rock science' });
      expect(ascending(await find({ q: 'roc' }))).toEqual([rocket, rock]);
      expect(ascending(await find({ q: 'science rock' }))).toEqual([rocket, rock]);
      expect(await find({ q: 'rock science' })).toEqual([rock]);
      expect(await find({ q: 'ocket' })).toEqual([]);
    });

    it.each([
      ['Événement à Łódź', ['evenement a lodz', 'ÉVÉNEMENT', 'łódź', 'LODZ', 'e\u0301ve\u0301nement']],
      ['Evenement a Lodz', ['événement à łódź', 'Éve', 'ŁÓDŹ']],
      ['Straße', ['strasse', 'STRASSE', 'straße']],
      ['МОСКВА ночью', ['москва', 'Москва НОЧЬ']],
      ['ΜΟΥΣΙΚΉ', ['μουσική', 'μουσική']],
      ['שלום עולם', ['עולם', 'שלום עו']],
      ['مرحبا بالعالم', ['مرحبا', 'بال']],
      ['東京ジャズ', ['東京', '東京ジャズ']],
      ['Cafe\u0301 Müller', ['café', 'cafe MULLER']],
    ])('finds %s whatever the accents and the case', async (title, queries) => {
      const id = await event({ title });
      for (const q of queries) expect({ q, found: await find({ q }) }).toEqual({ q, found: [id] });
    });

    it.each([
      'AC/DC',
      'blink-182',
      'S.T.A.R.S.',
      'R&B (all night)',
      '10,000 Maniacs',
      '24.12.2030: Sat/Sun',
      'O’Brien’s “Best of…” — live',
      "It's 5 o'clock, don't stop!",
      'rock🎸roll ❤️',
      'mail bob@example.com, visit https://example.com/tickets?x=1#now',
      '<b>bold</b> &amp; C:\\temp\\*.txt',
      '-5°C | !important :* (x)',
    ])('finds %s as it is written', async (title) => {
      const id = await event({ title });
      await event({ title: 'something else' });
      expect(await find({ q: title })).toEqual([id]);
      for (const word of title.match(/[\p{L}\p{N}]+/gu) ?? []) expect(await find({ q: word })).toContain(id);
    });

    it('finds words whether they were composed or decomposed, on either side', async () => {
      const found = await event({ title: '서울'.normalize('NFD') });
      for (const form of ['NFC', 'NFD']) expect(await find({ q: '서울'.normalize(form) })).toEqual([found]);
    });

    it('finds any title as it is written', async () => {
      const character = fc.constantFrom(
        ...'abcXYZ019éÜłßжЯσאب東ァ ,.-/\\&@:\'"!?()<>|*_#%+=~’“”–…·«»¿€→★、。🎸🎉',
      );
      const titles = fc
        .sample(fc.string({ unit: character, minLength: 2, maxLength: 20 }), 80)
        .filter((title) => /[\p{L}\p{N}]/u.test(title));
      for (const title of titles) {
        const id = await event({ title });
        expect({ title, found: await find({ q: title, limit: 200 }) }).toEqual({
          title,
          found: expect.arrayContaining([id]),
        });
      }
    });

    it.each(['...', '🎸', '❤️', '!', "'", '\\', ':*', '& | !', '()', '-', '״', '…—«»'])(
      'finds nothing by %s, which has no word in it',
      async (q) => {
        await event({ title: q });
        expect(await find({ q })).toEqual([]);
      },
    );

    it('puts a word in the title before one in the address, and that before one in the description', async () => {
      const description = await event({ title: 'One', description: 'a tango' });
      const address = await event({ title: 'Two', venue: { address: 'Tango Hall' } });
      const title = await event({ title: 'Tango' });
      const everywhere = await event({ title: 'Tango', description: 'tango', venue: { address: 'Tango' } });
      expect(await find({ q: 'tango' })).toEqual([everywhere, title, address, description]);
      expect(await find({ q: 'tango', sort: 'relevance' })).toEqual([
        everywhere,
        title,
        address,
        description,
      ]);
      expect(await find({ q: 'tango', sort: 'start_time' })).toEqual([
        description,
        address,
        title,
        everywhere,
      ]);
    });

    it('follows an event that is changed', async () => {
      const id = await event({ title: 'Before' });
      await api.sql(`UPDATE events SET title = 'After' WHERE id = $1`, [id]);
      expect(await find({ q: 'before' })).toEqual([]);
      expect(await find({ q: 'after' })).toEqual([id]);
    });
  });

  describe('near', () => {
    afterEach(() => api.sql(REMOVE_EVENTS));

    it('tells the distance, whatever the order, and not without it', async () => {
      const id = await event({ venue: { latitude: 51.5942, longitude: -0.1306 }, title: 'Palace' });
      for (const query of ['', '&sort=distance', '&q=palace', '&q=palace&sort=start_time']) {
        const { body } = await ask(nearLondon + query);
        expect(body).toEqual([expect.objectContaining({ id, distance_km: 9.676 })]);
      }
      for (const query of ['', 'q=palace'])
        expect((await ask(query)).body[0]).not.toHaveProperty('distance_km');
    });

    it('looks 30 km around unless told otherwise; the radius is inclusive, to the metre', async () => {
      const near = await event({ venue: { latitude: 51.5942, longitude: -0.1306 } });
      const far = await event({ venue: { latitude: 51.8, longitude: -0.1276 } });
      await event({ venue: {} });
      expect(await find(nearLondon)).toEqual([near]);
      for (const sort of ['start_time', 'distance']) {
        const around = (km: number) => find(`${nearLondon}&sort=${sort}&max_distance_km=${km}`);
        expect(await around(9.676)).toEqual([near]);
        expect(await around(9.675)).toEqual([]);
        expect(await around(20_038)).toEqual([near, far]);
      }
    });

    it('finds past events too, and at a radius of 0 those at the very place', async () => {
      const past = await event({
        start_time: '2001-01-01T00:00:00Z',
        end_time: '2001-01-01T00:00:00Z',
        venue: LONDON,
      });
      expect(await find(`${nearLondon}&max_distance_km=0`)).toEqual([past]);
      expect(await find('near=-90,180&max_distance_km=0')).toEqual([]);
    });
  });

  it('available=true leaves out what is sold out, until a place is free again', async () => {
    const user = await api.create.user();
    const [one, none] = await Promise.all([event({ total_tickets: 1 }), event({ total_tickets: 0 })]);
    const available = () => find('available=true');
    expect(await find('available=false')).toEqual(ascending([one, none]));
    expect(await available()).toEqual([one]);

    const reserve = () => api.create.ticket({ user_id: user.id, event_id: one });
    const cancelled = await reserve();
    expect(await available()).toEqual([]);
    expect(await find(`available=true&${nearLondon}&sort=distance`)).toEqual([]);
    await api.client.post(`/tickets/${cancelled.id}/cancel`);
    expect(await available()).toEqual([one]);

    const due = await reserve();
    expect(await available()).toEqual([]);
    await api.sql('UPDATE tickets SET expires_at = now() WHERE id = $1', [due.id]);
    await eventually(async () => expect(await available()).toEqual([one]), 2_000);

    const paid = await reserve();
    await api.client.post(`/tickets/${paid.id}/pay`);
    expect(await available()).toEqual([]);
    await api.sql(REMOVE_EVENTS);
  });

  it.each([
    ['sort=distance', '/sort'],
    ['sort=relevance', '/sort'],
    ['sort=relevance&near=0,0', '/sort'],
    ['sort=distance&q=x', '/sort'],
    ['sort=id', '/sort'],
    ['sort=', '/sort'],
    ['sort=start_time&sort=distance&near=0,0', '/sort'],
    ['max_distance_km=5', '/max_distance_km'],
    ['max_distance_km=-1&near=0,0', '/max_distance_km'],
    ['max_distance_km=20039&near=0,0', '/max_distance_km'],
    ['max_distance_km=wide&near=0,0', '/max_distance_km'],
    ['max_distance_km=&near=0,0', '/max_distance_km'],
    ['near=', '/near'],
    ['near=51.5', '/near'],
    ['near=51.5,', '/near'],
    ['near=51.5,0,0', '/near'],
    ['near=51.5;0', '/near'],
    ['near=51.5%200', '/near'],
    ['near=%2051,0', '/near'],
    ['near=north,west', '/near'],
    ['near=90.0001,0', '/near'],
    ['near=0,-180.5', '/near'],
    ['near=1e1,0', '/near'],
    ['near=NaN,0', '/near'],
    ['near=0,0&near=1,1', '/near'],
    ['near[latitude]=0', '/near[latitude]'],
    ['q=', '/q'],
    ['q=%20', '/q'],
    ['q=%00', '/q'],
    [`q=${'a'.repeat(101)}`, '/q'],
    ['q=a&q=b', '/q'],
    ['available=yes', '/available'],
    ['available=', '/available'],
    ['starts_before=2030-01-01', '/starts_before'],
    ['starts_after=soon', '/starts_after'],
    ['ends_before=2030-01-01T00:00:00Z', '/ends_before'],
  ])('refuses %s', async (query, pointer) => {
    expectProblem(await ask(query), 422, 'validation_failed', { pointers: [pointer] });
  });

  it.each(['distance', 'relevance', 'start_time'])(
    'refuses a cursor of another order than %s',
    async (sort) => {
      const query = `${nearLondon}&q=x&sort=${sort}`;
      const cursors = {
        start_time: ['2030-01-01T00:00:00.000Z', 1],
        distance: [0.5, '2030-01-01T00:00:00.000Z', 1],
        relevance: [-0.5, 1],
      };
      const wrong = sort === 'distance' ? cursors.start_time : cursors.distance;
      const cursor = cursorAfter(
        wrong,
        Object.assign(new EventsQuery(), Object.fromEntries(new URLSearchParams(query))),
      );
      expectProblem(await ask(`${query}&cursor=${cursor}`), 422, 'validation_failed', {
        pointers: ['/cursor'],
      });
    },
  );

  describe('page by page', () => {
    const EQUALS = 130;
    let equals: number[];

    beforeAll(async () => {
      const rows = await api.sql<{ id: number }>(
        `WITH event AS (
          INSERT INTO events (title, start_time, end_time, venue_latitude, venue_longitude)
          SELECT 'Residency', '2090-01-01', '2090-01-02', ${LONDON.latitude}, ${LONDON.longitude}
          FROM generate_series(1, ${EQUALS}) RETURNING id
        ), inventory AS (INSERT INTO inventory (event_id, capacity) SELECT id, 5 FROM event)
        SELECT id FROM event ORDER BY id`,
      );
      equals = idsOf(rows);
    });
    afterAll(() => api.sql(REMOVE_EVENTS));

    it.each([
      ['at one time', 'sort=start_time'],
      ['at one place', `${nearLondon}&sort=distance`],
      ['at one place, available', `${nearLondon}&sort=distance&available=true`],
      ['of one rank', 'q=residency'],
      ['of one rank, around a place', `q=residency&${nearLondon}&available=true`],
      ['with the same words, at one place', `q=residency&${nearLondon}&sort=distance`],
    ])('lists events %s once each', async (_what, query) => {
      for (const limit of [7, 50, EQUALS, 200]) {
        const pages = await pagesOf(`/events/?${query}&limit=${limit}`);
        expect(pages.flat()).toEqual(equals);
        expect(pages).toHaveLength(Math.ceil(EQUALS / limit));
      }
    });
  });

  describe('together', () => {
    const EVENTS = 300;
    let events: Model[];

    interface Model extends Coordinates {
      id: number;
      words: string[];
      start: number;
      end: number;
      hasPlace: boolean;
      isAvailable: boolean;
    }

    /** Far enough from each other, and from the radii below, that no rounding decides. */
    const PLACES: (Coordinates | null)[] = [
      LONDON,
      { latitude: 51.5942, longitude: -0.1306 },
      { latitude: 51.7, longitude: -0.4 },
      { latitude: 52.2, longitude: 0.12 },
      { latitude: 48.8566, longitude: 2.3522 },
      { latitude: -36.85, longitude: 174.76 },
      { latitude: 0, longitude: 180 },
      null,
    ];
    const VOCABULARY =
      'Élan elan Rock rocket ROCKS jazz Jazzy łódź Москва AC/DC blink-182 2030 naïve שלום'.split(' ');

    beforeAll(async () => {
      const now = Date.now();
      const pick = <Value>(values: readonly Value[]) => fc.constantFrom(...values);
      const text = fc.array(pick(VOCABULARY), { minLength: 1, maxLength: 3 }).map((words) => words.join(' '));
      const drafts = fc.sample(
        fc.record({
          title: text,
          address: fc.option(text),
          description: fc.oneof(text, fc.constant('')),
          place: pick(PLACES),
          // A few instants for all, so that many events share one.
          start: pick([-YEAR_MS, -3_600_000, 3_600_000, YEAR_MS, 2 * YEAR_MS]).map((offset) => now + offset),
          length: pick([0, 7_200_000, YEAR_MS / 2]),
          held: pick([0, 1, 2]),
          sold: pick([0, 1]),
        }),
        EVENTS,
      );
      const rows = await api.sql<{ id: number }>(
        `WITH draft AS (
          SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::timestamptz[], $7::timestamptz[])
            WITH ORDINALITY AS d (title, address, description, latitude, longitude, start_time, end_time, n)
        ), event AS (
          INSERT INTO events (title, venue_address, description, venue_latitude, venue_longitude, start_time, end_time)
          SELECT title, address, description, latitude, longitude, start_time, end_time FROM draft ORDER BY n
          RETURNING id
        ), seats AS (
          SELECT id, row_number() OVER (ORDER BY id) AS n FROM event
        ), inventory AS (
          INSERT INTO inventory (event_id, capacity, held, sold)
          SELECT id, 3, ($8::int[])[n], ($9::int[])[n] FROM seats
        )
        SELECT id FROM event ORDER BY id`,
        [
          drafts.map(({ title }) => title),
          drafts.map(({ address }) => address),
          drafts.map(({ description }) => description),
          drafts.map(({ place }) => place?.latitude ?? null),
          drafts.map(({ place }) => place?.longitude ?? null),
          drafts.map(({ start }) => new Date(start)),
          drafts.map(({ start, length }) => new Date(start + length)),
          drafts.map(({ held }) => held),
          drafts.map(({ sold }) => sold),
        ],
      );
      events = drafts.map((draft, i) => ({
        id: rows[i]?.id ?? NaN,
        words: wordsOf(`${draft.title} ${draft.address ?? ''} ${draft.description}`),
        start: draft.start,
        end: draft.start + draft.length,
        hasPlace: draft.place !== null,
        isAvailable: draft.held + draft.sold < 3,
        ...(draft.place ?? { latitude: NaN, longitude: NaN }),
      }));
    });
    afterAll(() => api.sql(REMOVE_EVENTS));

    /** As they are searched: without accents, in small letters. */
    const wordsOf = (text: string) =>
      text
        .normalize('NFD')
        .replaceAll(/\p{M}/gu, '')
        .toLowerCase()
        .replaceAll('ł', 'l')
        .match(/[\p{L}\p{N}]+/gu) ?? [];

    const times = [-2 * YEAR_MS, -3_600_000, 0, YEAR_MS, 2 * YEAR_MS].map((offset) => Date.now() + offset);
    const instant = fc.option(fc.constantFrom(...times), { nil: undefined });
    const common = {
      starts_before: instant,
      available: fc.constantFrom(undefined, 'true', 'false'),
      pages: fc.integer({ min: 1, max: 5 }),
    };
    const radius = fc.constantFrom(undefined, 0, 5, 15, 100, 500, 20_038);
    const place = fc.constantFrom(...PLACES.filter((one) => one !== null));

    interface Filter {
      q?: string;
      near?: Coordinates;
      radiusKm?: number;
      starts_after?: number;
      starts_before?: number;
      available?: string;
    }

    function matches(
      one: Model,
      { q, near, radiusKm = 30, starts_after, starts_before, available }: Filter,
    ): boolean {
      const words = q === undefined ? [] : wordsOf(q);
      const last = words.pop();
      return (
        words.every((word) => one.words.includes(word)) &&
        (last === undefined || one.words.some((word) => word.startsWith(last))) &&
        (near === undefined || (one.hasPlace && haversineKm(near, one) <= radiusKm + 0.0001)) &&
        (starts_after === undefined || one.start >= starts_after) &&
        (starts_before === undefined || one.start < starts_before) &&
        (available !== 'true' || one.isAvailable)
      );
    }

    const toTime = (time: number | undefined) =>
      time === undefined ? undefined : new Date(time).toISOString();

    it('are what a plain computation finds, in its order, on any pages', async () => {
      const query = fc.record({
        ...common,
        q: fc.constantFrom(
          undefined,
          'elan',
          'ÉLAN',
          'roc',
          'rock',
          'ac dc',
          'blink 18',
          'jazz lodz',
          'моск',
          '2',
          'nothing',
        ),
        near: fc.option(place, { nil: undefined }),
        max_distance_km: radius,
        starts_after: instant,
        sort: fc.constantFrom(undefined, 'start_time', 'distance', 'relevance'),
      });
      let found = 0;
      const property = fc.asyncProperty(query, async ({ pages, near, ...filter }) => {
        const { sort = filter.q === undefined ? 'start_time' : 'relevance' } = filter;
        const radiusKm = near && filter.max_distance_km;
        const parameters = toQuery({
          ...filter,
          near: near && `${near.latitude},${near.longitude}`,
          max_distance_km: radiusKm,
          starts_after: toTime(filter.starts_after),
          starts_before: toTime(filter.starts_before),
        });
        if ((sort === 'distance' && !near) || (sort === 'relevance' && filter.q === undefined)) {
          expectProblem(await ask(parameters), 422, 'validation_failed', { pointers: ['/sort'] });
          return;
        }
        const expected = events.filter((one) => matches(one, { ...filter, near, radiusKm }));
        if (sort === 'start_time') expected.sort((a, b) => a.start - b.start || a.id - b.id);
        if (near && sort === 'distance') {
          expected.sort(
            (a, b) => haversineKm(near, a) - haversineKm(near, b) || a.end - b.end || a.id - b.id,
          );
        }
        const limit = Math.max(1, Math.ceil(Math.min(expected.length, 200) / pages));
        const ids = (await pagesOf(`/events/?${parameters}&limit=${limit}`)).flat();
        // What a rank is worth is PostgreSQL's to say; a test above holds its order.
        if (sort === 'relevance') expect(ascending(ids)).toEqual(idsOf(expected));
        else expect(ids).toEqual(idsOf(expected));
        found += ids.length;
      });
      await fc.assert(property, { numRuns: 150 });
      expect(found).toBeGreaterThan(1_000);
    });

    it('for-you are what a plain computation finds, nearest first, on any pages', async () => {
      const users = new Map<string, number>();
      const userAt = async ({ latitude, longitude }: Coordinates) => {
        const key = `${latitude},${longitude}`;
        const known = users.get(key);
        if (known !== undefined) return known;
        const { id } = await api.create.user({ location_latitude: latitude, location_longitude: longitude });
        users.set(key, id);
        return id as number;
      };
      const query = fc.record({ ...common, near: place, max_distance_km: radius });
      const property = fc.asyncProperty(query, async ({ pages, near, max_distance_km, ...filter }) => {
        const expected = events
          .filter(
            (one) => one.end > Date.now() && matches(one, { ...filter, near, radiusKm: max_distance_km }),
          )
          .sort((a, b) => haversineKm(near, a) - haversineKm(near, b) || a.end - b.end || a.id - b.id);
        const parameters = toQuery({
          ...filter,
          user_id: await userAt(near),
          max_distance_km,
          starts_before: toTime(filter.starts_before),
          limit: Math.max(1, Math.ceil(Math.min(expected.length, 200) / pages)),
        });
        expect((await pagesOf(`/users/for-you/?${parameters}`)).flat()).toEqual(idsOf(expected));
      });
      await fc.assert(property, { numRuns: 60 });
    });
  });
});
