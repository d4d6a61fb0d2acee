import fc from 'fast-check';
import { haversineKm, type Coordinates } from '../../src/events/haversine';
import { startTestApi, type TestApi } from '../support/api';
import { sellEvents } from '../support/fill';
import { expectProblem } from '../support/problems';
import { ascending, idsOf, LONDON, searchBy, toQuery, type Found } from '../support/search';
import { REMOVE_EVENTS } from '../support/seats';
import { tokenOf } from '../support/tokens';

const YEAR_MS = 365 * 86_400_000;

describe('GET /events/ with filters', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  const { ask, pagesOf } = searchBy(() => api);

  describe('together', () => {
    const EVENTS = 300;
    let events: Model[];
    let organizer: { id: number };

    interface Model extends Coordinates {
      id: number;
      words: string[];
      start: number;
      end: number;
      status: 'draft' | 'published' | 'cancelled';
      isOrganizers: boolean;
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
      organizer = await api.create.user();
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
          status: pick(['published', 'published', 'published', 'draft', 'cancelled'] as const),
          isOrganizers: fc.boolean(),
        }),
        EVENTS,
      );
      const rows = await api.sql<{ id: number }>(
        `WITH draft AS (
          SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::timestamptz[], $7::timestamptz[],
            $8::text[], $9::bigint[])
            WITH ORDINALITY AS d (title, address, description, latitude, longitude, start_time, end_time, status, organizer_id, n)
        ), event AS (
          INSERT INTO events (title, venue_address, description, venue_latitude, venue_longitude, start_time, end_time, status, organizer_id)
          SELECT title, address, description, latitude, longitude, start_time, end_time, status, organizer_id
          FROM draft ORDER BY n
          RETURNING id
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
          drafts.map(({ status }) => status),
          drafts.map(({ isOrganizers }) => (isOrganizers ? organizer.id : null)),
        ],
      );
      await api.sql(
        sellEvents(
          `SELECT id, 3, held, sold FROM unnest($1::bigint[], $2::int[], $3::int[]) AS draft (id, held, sold)`,
        ),
        [rows.map(({ id }) => id), drafts.map(({ held }) => held), drafts.map(({ sold }) => sold)],
      );
      events = drafts.map((draft, i) => ({
        id: rows[i]?.id ?? NaN,
        words: wordsOf(`${draft.title} ${draft.address ?? ''} ${draft.description}`),
        start: draft.start,
        end: draft.start + draft.length,
        status: draft.status,
        isOrganizers: draft.isOrganizers,
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
      /** Of the organizer: as others see the list, or as they do. */
      of?: 'public' | 'own';
    }

    function matches(
      one: Model,
      { q, near, radiusKm = 30, starts_after, starts_before, available, of }: Filter,
    ): boolean {
      const words = q === undefined ? [] : wordsOf(q);
      const last = words.pop();
      return (
        (one.status === 'published' || of === 'own') &&
        (of === undefined || one.isOrganizers) &&
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
        of: fc.constantFrom<Filter['of'][]>(undefined, 'public', 'own'),
      });
      let found = 0;
      const property = fc.asyncProperty(query, async ({ pages, near, of, ...filter }) => {
        const { sort = filter.q === undefined ? 'start_time' : 'relevance' } = filter;
        const radiusKm = near && filter.max_distance_km;
        const parameters = toQuery({
          ...filter,
          near: near && `${near.latitude},${near.longitude}`,
          max_distance_km: radiusKm,
          starts_after: toTime(filter.starts_after),
          starts_before: toTime(filter.starts_before),
          organizer_id: of && organizer.id,
        });
        if ((sort === 'distance' && !near) || (sort === 'relevance' && filter.q === undefined)) {
          expectProblem(await ask(parameters), 422, 'validation_failed', { pointers: ['/sort'] });
          return;
        }
        const expected = events.filter((one) => matches(one, { ...filter, near, radiusKm, of }));
        if (sort === 'start_time') expected.sort((a, b) => a.start - b.start || a.id - b.id);
        if (near && sort === 'distance') {
          expected.sort(
            (a, b) => haversineKm(near, a) - haversineKm(near, b) || a.end - b.end || a.id - b.id,
          );
        }
        const limit = Math.max(1, Math.ceil(Math.min(expected.length, 200) / pages));
        const client = api.client.as(of === 'own' ? tokenOf(organizer.id) : '');
        const ids = (await client.pages<Found>(`/events/?${parameters}&limit=${limit}`)).flatMap(idsOf);
        // What a rank is worth is PostgreSQL's to say; a test of search by words holds its order.
        if (sort === 'relevance') expect(ascending(ids)).toEqual(idsOf(expected));
        else expect(ids).toEqual(idsOf(expected));
        found += ids.length;
      });
      // Most queries find few events; the one without a filter finds over a hundred, whatever was drawn.
      const unfiltered = {
        pages: 5,
        q: undefined,
        near: undefined,
        max_distance_km: undefined,
        starts_after: undefined,
        starts_before: undefined,
        available: undefined,
        sort: undefined,
        of: undefined,
      };
      await fc.assert(property, { numRuns: 250, examples: [[unfiltered]] });
      expect(found).toBeGreaterThan(100);
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
