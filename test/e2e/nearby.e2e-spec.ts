import fc from 'fast-check';
import { EARTH_RADIUS_KM, haversineKm, type Coordinates } from '../../src/events/haversine';
import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { eventBody } from '../support/factories';
import { sellEvents } from '../support/fill';
import { expectProblem } from '../support/problems';
import { REMOVE_EVENTS } from '../support/seats';

interface Found {
  id: number;
  distance_km: number;
}

const KM_PER_DEGREE = (Math.PI * EARTH_RADIUS_KM) / 180;
const METRE = 0.001;
/** Half the circumference of the Earth along the equator, rounded up: the largest radius that is taken. */
const EVERYWHERE = 20_038;
const LONDON = { latitude: 51.5072, longitude: -0.1276 };

const at = (latitude: number, longitude: number): Coordinates => ({ latitude, longitude });

describe('GET /users/for-you/', () => {
  let api: TestApi;

  beforeEach(async () => {
    await api.sql(REMOVE_EVENTS);
  });
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  const userAt = async ({ latitude, longitude }: Coordinates): Promise<number> =>
    (await api.create.user({ location_latitude: latitude, location_longitude: longitude })).id;
  const eventAt = (venue: object, fields: object = {}) => api.create.event({ venue, ...fields });
  const ask = (query: string) => api.client.get<Found[]>(`/users/for-you/?${query}`);
  const find = async (user: number, radius?: number | string): Promise<Found[]> => {
    const { status, body } = await ask(
      `user_id=${user}${radius === undefined ? '' : `&max_distance_km=${radius}`}`,
    );
    expect(status).toBe(200);
    return body;
  };
  const idsOf = (found: Found[]) => found.map(({ id }) => id);

  it('lists events with their distance, nearest first', async () => {
    const user = await userAt(LONDON);
    const far = await eventAt({ latitude: 51.7, longitude: -0.1276 });
    const near = await eventAt({ address: 'Alexandra Palace', latitude: 51.5942, longitude: -0.1306 });
    const here = await eventAt(LONDON);
    expect(await find(user)).toEqual([
      { ...here, distance_km: 0 },
      { ...near, distance_km: expect.closeTo(9.676, 3) },
      { ...far, distance_km: expect.closeTo(21.438, 3) },
    ]);
  });

  it('asks for the address without a slash at its end just as well', async () => {
    const { status, body } = await api.client.get(`/users/for-you?user_id=${await userAt(LONDON)}`);
    expect({ status, body }).toEqual({ status: 200, body: [] });
  });

  it('lists only what has not ended and has coordinates', async () => {
    const user = await userAt(LONDON);
    const since = { start_time: '2001-01-01T00:00:00Z' };
    await eventAt(LONDON, { ...since, end_time: '2001-01-02T00:00:00Z' });
    await eventAt(LONDON, { ...since, end_time: new Date(Date.now() - 1_000).toISOString() });
    await eventAt({ address: 'London' });
    await eventAt({});
    const begun = await eventAt(LONDON, since);
    const coming = await eventAt(LONDON);
    expect(idsOf(await find(user, EVERYWHERE))).toEqual([begun.id, coming.id]);
  });

  it('lists an event until it ends', async () => {
    const user = await userAt(LONDON);
    const event = await eventAt(LONDON);
    expect(idsOf(await find(user))).toEqual([event.id]);
    await api.sql('UPDATE events SET start_time = now(), end_time = now() WHERE id = $1', [event.id]);
    expect(await find(user)).toEqual([]);
  });

  it('looks 30 km around unless told otherwise', async () => {
    const user = await userAt(at(0, 0));
    const inside = await eventAt(at(29.999 / KM_PER_DEGREE, 0));
    await eventAt(at(30.001 / KM_PER_DEGREE, 0));
    expect(await find(user)).toMatchObject([{ id: inside.id, distance_km: 29.999 }]);
  });

  it.each([
    ['in the city', LONDON, at(51.5942, -0.1306)],
    ['around the world', LONDON, at(-41.2889, 174.7772)],
    ['across the date line', at(-16.5, 179.99), at(-16.5, -179.99)],
    ['across the pole', at(89.99, 0), at(89.99, 180)],
    ['on the equator', at(0, 0), at(0, 0.27)],
    ['almost at the antipodes', at(45, 45), at(-45.01, -135)],
  ])('takes the radius for inclusive, to the metre, %s', async (_where, from, to) => {
    const user = await userAt(from);
    const event = await eventAt(to);
    const [found] = await find(user, EVERYWHERE);
    const km = found?.distance_km ?? NaN;
    expect(km).toBeCloseTo(haversineKm(from, to), 2);
    expect(idsOf(await find(user, km))).toEqual([event.id]);
    expect(await find(user, (km - METRE).toFixed(3))).toEqual([]);
  });

  it('finds only the very place at a radius of 0', async () => {
    const user = await userAt(LONDON);
    const here = await eventAt(LONDON);
    await eventAt({ ...LONDON, latitude: LONDON.latitude + 0.00002 });
    expect(await find(user, 0)).toEqual([{ ...here, distance_km: 0 }]);
  });

  it('finds everything at the largest radius, the antipodes included', async () => {
    const user = await userAt(at(12.5, -60));
    const antipodes = await eventAt(at(-12.5, 120));
    const pole = await eventAt(at(-90, 0));
    const near = await eventAt(at(12.5, -60.1));
    expect(await find(user, EVERYWHERE)).toEqual([
      { ...near, distance_km: expect.closeTo(10.856, 3) },
      { ...pole, distance_km: expect.closeTo(102.5 * KM_PER_DEGREE, 2) },
      { ...antipodes, distance_km: expect.closeTo(180 * KM_PER_DEGREE, 2) },
    ]);
  });

  // From these places rounding makes the straight line to the antipodes longer than the Earth's diameter.
  it.each([
    [-26, 19],
    [26, 19],
    [-26, 71],
    [26, 161],
  ])('finds the antipodes from %d, %d', async (latitude, longitude) => {
    const user = await userAt(at(latitude, longitude));
    const event = await eventAt(at(-latitude, longitude - 180));
    expect(await find(user, EVERYWHERE)).toEqual([
      { ...event, distance_km: expect.closeTo(180 * KM_PER_DEGREE, 2) },
    ]);
  });

  it.each([
    ['latitude 0, longitude 0', at(0, 0), at(0, 0.1)],
    ['longitude 0', at(51.4779, 0), at(51.5, 0)],
    ['latitude 0', at(0, 51.5), at(0.1, 51.5)],
    ['the north pole, whose longitude says nothing', at(90, 25), at(90, -140)],
    ['the south pole', at(-90, 0), at(-89.9, 180)],
    ['the date line', at(10, 180), at(10, -179.9)],
  ])('takes %s for a place like any other', async (_where, from, to) => {
    const user = await userAt(from);
    const event = await eventAt(to);
    expect(await find(user)).toEqual([{ ...event, distance_km: expect.closeTo(haversineKm(from, to), 2) }]);
  });

  it('finds what was created a moment ago, and where an event moved to', async () => {
    const user = await userAt(LONDON);
    const event = await eventAt(at(0, 0));
    expect(await find(user)).toEqual([]);
    await api.sql('UPDATE events SET venue_latitude = $2, venue_longitude = $3 WHERE id = $1', [
      event.id,
      LONDON.latitude,
      LONDON.longitude,
    ]);
    expect(idsOf(await find(user))).toEqual([event.id]);
  });

  describe('refuses', () => {
    it('a user that is not there', async () => {
      expectProblem(await ask('user_id=999999'), 404, 'user_not_found', { detail: 'User not found' });
    });

    it('a user without a location', async () => {
      const { id } = await api.create.user({ location_address: 'London' });
      expectProblem(await ask(`user_id=${id}`), 404, 'user_location_not_set', {
        detail: 'User location not set',
      });
    });

    it.each([
      ['user_id=', ['/user_id']],
      ['user_id=0', ['/user_id']],
      ['user_id=-1', ['/user_id']],
      ['user_id=1.5', ['/user_id']],
      ['user_id=9007199254740992', ['/user_id']],
      [`user_id=1${'0'.repeat(30)}`, ['/user_id']],
      ['user_id=ada', ['/user_id']],
      ['user_id=1%00', ['/user_id']],
      ['user_id=1&user_id=1', ['/user_id']],
      ['user_id=1&max_distance_km=-1', ['/max_distance_km']],
      ['user_id=1&max_distance_km=-0.001', ['/max_distance_km']],
      ['user_id=1&max_distance_km=20038.001', ['/max_distance_km']],
      ['user_id=1&max_distance_km=20039', ['/max_distance_km']],
      ['user_id=1&max_distance_km=1e3', ['/max_distance_km']],
      ['user_id=1&max_distance_km=Infinity', ['/max_distance_km']],
      ['user_id=1&max_distance_km=NaN', ['/max_distance_km']],
      ['user_id=1&max_distance_km=', ['/max_distance_km']],
      ['user_id=1&max_distance_km=30km', ['/max_distance_km']],
      ['user_id=1&max_distance_km=5&max_distance_km=6', ['/max_distance_km']],
      ['user_id=1&radius=5', ['/radius']],
      ['user_id=0&limit=0&max_distance_km=-1', ['/user_id', '/limit', '/max_distance_km']],
    ])('?%s', async (query, pointers) => {
      expectProblem(await ask(query), 422, 'validation_failed', { pointers });
    });

    it('a radius before it looks for the user', async () => {
      expectProblem(await ask('user_id=999999&max_distance_km=-1'), 422, 'validation_failed');
    });
  });

  describe('agrees with the Haversine formula', () => {
    const micro = (least: number, most: number) =>
      fc.integer({ min: least * 1e6, max: most * 1e6 }).map((n) => n / 1e6);
    const place = fc.oneof(
      { weight: 6, arbitrary: fc.record({ latitude: micro(-90, 90), longitude: micro(-180, 180) }) },
      { weight: 1, arbitrary: fc.record({ latitude: micro(89, 90), longitude: micro(-180, 180) }) },
      { weight: 1, arbitrary: fc.record({ latitude: micro(-90, -89), longitude: micro(-180, 180) }) },
      { weight: 1, arbitrary: fc.record({ latitude: micro(-5, 5), longitude: micro(179, 180) }) },
      { weight: 1, arbitrary: fc.record({ latitude: micro(-5, 5), longitude: micro(-180, -179) }) },
      { weight: 1, arbitrary: fc.record({ latitude: micro(-1, 1), longitude: micro(-1, 1) }) },
      {
        weight: 1,
        arbitrary: fc.record({
          latitude: fc.constantFrom(-90, 0, 90),
          longitude: fc.constantFrom(-180, -90, 0, 90, 180),
        }),
      },
    );
    const places = fc.sample(place, { numRuns: 3_000, seed: 20_381 });
    const placeOf = new Map<number, Coordinates>();
    let database: TestDatabase;
    let indexed: TestApi;

    beforeAll(async () => {
      database = await createDatabase();
      // A few thousand rows are read faster than an index; here the index is to answer.
      await database.sql(`ALTER DATABASE ${database.name} SET enable_seqscan = off`);
      indexed = await startTestApi({ DATABASE_URL: database.url });
      const rows = await database.sql<{ id: string; latitude: number; longitude: number }>(
        `INSERT INTO events (title, start_time, end_time, venue_latitude, venue_longitude)
         SELECT 'Somewhere', $1, $2, latitude, longitude
         FROM unnest($3::float8[], $4::float8[]) AS place (latitude, longitude)
         RETURNING id, venue_latitude AS latitude, venue_longitude AS longitude`,
        [
          eventBody().start_time,
          eventBody().end_time,
          places.map(({ latitude }) => latitude),
          places.map(({ longitude }) => longitude),
        ],
      );
      await database.sql(sellEvents('SELECT id, 1, 0, 0 FROM events'));
      await database.sql('ANALYZE');
      for (const { id, latitude, longitude } of rows) placeOf.set(Number(id), at(latitude, longitude));
    });
    afterAll(async () => {
      await indexed.stop();
      await database.drop();
    });

    it('about which events are near, how far they are, and in which order, on thousands of points', async () => {
      expect(placeOf.size).toBe(3_000);
      const poles = [at(90, 0), at(-90, 0)];
      const centers = [at(0, 180), at(0, 0), LONDON, ...fc.sample(place, { numRuns: 15, seed: 7 })];
      for (const center of poles) await compare(center, EVERYWHERE);
      for (const center of [...poles, ...centers]) {
        for (const radius of [120, 2_500]) await compare(center, radius);
      }
      await eventually(async () => expect(await indexScans()).toBeGreaterThan(50));
    });

    async function compare(center: Coordinates, radius: number): Promise<void> {
      const user = await indexed.create.user({
        location_latitude: center.latitude,
        location_longitude: center.longitude,
      });
      const path = `/users/for-you/?user_id=${user.id}&max_distance_km=${radius}&limit=200`;
      const found = (await indexed.client.pages<Found>(path)).flat();
      const kmTo = new Map([...placeOf].map(([id, place]) => [id, haversineKm(center, place)]));
      const kmOf = ({ id }: Found) => kmTo.get(id) ?? NaN;
      const ids = new Set(idsOf(found));

      // To the metre: there both round, and there the formula itself is no better at the antipodes.
      expect(ids.size).toBe(found.length);
      expect([...kmTo].filter(([id, km]) => km <= radius - METRE && !ids.has(id))).toEqual([]);
      expect(found.filter((event) => !(kmOf(event) <= radius + METRE))).toEqual([]);
      expect(found.filter((event) => !(Math.abs(kmOf(event) - event.distance_km) <= METRE))).toEqual([]);
      expect(found.filter(({ distance_km }) => Number(distance_km.toFixed(3)) !== distance_km)).toEqual([]);
      expect(found.filter((event, i) => kmOf(event) < kmOf(found[i - 1] ?? event) - METRE)).toEqual([]);
    }

    async function indexScans(): Promise<number> {
      const [row] = await database.sql<{ scans: number }>(
        `SELECT sum(idx_scan)::int AS scans FROM pg_stat_user_indexes
         JOIN pg_indexes ON indexrelname = indexname WHERE tablename = 'events' AND indexdef LIKE '%USING gist%'`,
      );
      return row?.scans ?? 0;
    }
  });
});
