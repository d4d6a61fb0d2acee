import fc from 'fast-check';
import { EARTH_RADIUS_KM, haversineKm, type Coordinates } from './haversine';

const KM_PER_MILE = 1.609344;
const HALF_CIRCUMFERENCE_KM = Math.PI * EARTH_RADIUS_KM;

const at = (latitude: number, longitude: number): Coordinates => ({ latitude, longitude });

const ATLANTA = at(33.6367, -84.4281);
const AUCKLAND = at(-37.0081, 174.7917);
const CANBERRA = at(-35.2931, 149.1269);
const DALLAS = at(32.8969, -97.0381);
const DOHA = at(25.2731, 51.6081);
const DUBAI = at(25.2528, 55.3644);
const JOHANNESBURG = at(-26.1392, 28.246);
const LONDON = at(51.4775, -0.4614);
const LOS_ANGELES = at(33.94, -118.4);
const MADRID = at(40.4169, -3.7033);
const MOSCOW = at(55.7558, 37.6178);
const NASHVILLE = at(36.12, -86.67);
const NEW_YORK = at(40.6397, -73.7789);
const PERTH = at(-31.9403, 115.9669);
const PYONGYANG = at(39.0194, 125.7381);
const SAN_FRANCISCO = at(37.619, -122.3749);
const SINGAPORE = at(1.3502, 103.9944);
const SYDNEY = at(-33.9461, 151.1772);
const WELLINGTON = at(-41.2889, 174.7772);

/** Evenly spread, and the odd numbers that doubles can be. */
const upTo = (most: number) =>
  fc.oneof(
    fc.integer({ min: -most * 1e4, max: most * 1e4 }).map((n) => n / 1e4),
    fc.double({ min: -most, max: most, noNaN: true }),
  );
const anywhere = fc.record({ latitude: upTo(90), longitude: upTo(180) });

describe('haversineKm', () => {
  /*
   * Published great-circle distances, some of them along an ellipsoid, from which a sphere differs by up to 0.5 %:
   * - between airports: Great Circle Mapper (gcmap.com), in miles, and OAG, "Exploring the world's 10 longest
   *   non-stop airline routes" (May 2024), in km;
   * - between capitals: Wikipedia, "Capital city", section on the nearest and the farthest;
   * - Nashville to Los Angeles: Rosetta Code, "Haversine formula", for a radius of 6371.0 km.
   */
  it.each([
    ['Perth', 'London', PERTH, LONDON, 9009 * KM_PER_MILE],
    ['Doha', 'Auckland', DOHA, AUCKLAND, 9032 * KM_PER_MILE],
    ['Dubai', 'Auckland', DUBAI, AUCKLAND, 8824 * KM_PER_MILE],
    ['Sydney', 'Dallas, across the date line', SYDNEY, DALLAS, 8578 * KM_PER_MILE],
    ['Singapore', 'San Francisco, across the date line', SINGAPORE, SAN_FRANCISCO, 8446 * KM_PER_MILE],
    ['Atlanta', 'Johannesburg', ATLANTA, JOHANNESBURG, 8439 * KM_PER_MILE],
    ['New York', 'Singapore, over the north pole', NEW_YORK, SINGAPORE, 15_332],
    ['Wellington', 'Madrid, almost antipodes', WELLINGTON, MADRID, 19_880],
    ['Wellington', 'Canberra', WELLINGTON, CANBERRA, 2_330],
    ['Pyongyang', 'Moscow', PYONGYANG, MOSCOW, 6_423],
  ])('agrees with what is published: %s to %s', (_from, _to, from, to, published) => {
    expect(Math.abs(haversineKm(from, to) / published - 1)).toBeLessThan(0.005);
    expect(haversineKm(to, from)).toBeCloseTo(haversineKm(from, to), 9);
  });

  it('agrees to the metre with a published distance on the same sphere', () => {
    expect(haversineKm(NASHVILLE, LOS_ANGELES)).toBeCloseTo(2886.444, 3);
  });

  it('takes the equator and the meridian of Greenwich for places like any other', () => {
    const degree = HALF_CIRCUMFERENCE_KM / 180;
    expect(haversineKm(at(0, 0), at(0, 0))).toBe(0);
    expect(haversineKm(at(0, 0), at(0, 1))).toBeCloseTo(degree, 9);
    expect(haversineKm(at(0, 0), at(1, 0))).toBeCloseTo(degree, 9);
    expect(haversineKm(at(-0.5, 0), at(0.5, 0))).toBeCloseTo(degree, 9);
    expect(haversineKm(at(0, -0.5), at(0, 0.5))).toBeCloseTo(degree, 9);
  });

  it.each([90, -90])('knows only one pole at latitude %d, whatever the longitude', (latitude) => {
    expect(haversineKm(at(latitude, -180), at(latitude, 77))).toBeCloseTo(0, 9);
    expect(haversineKm(at(latitude, 13), at(0, -140))).toBeCloseTo(HALF_CIRCUMFERENCE_KM / 2, 9);
    expect(haversineKm(at(latitude, 0), at(-latitude, 50))).toBeCloseTo(HALF_CIRCUMFERENCE_KM, 9);
  });

  it('crosses the date line the short way', () => {
    expect(haversineKm(at(0, 179.5), at(0, -179.5))).toBeCloseTo(HALF_CIRCUMFERENCE_KM / 180, 9);
    expect(haversineKm(at(60, 180), at(60, -180))).toBeCloseTo(0, 9);
    expect(haversineKm(at(52, 179.999), at(52, -179.999))).toBeCloseTo(
      haversineKm(at(52, 0), at(52, 0.002)),
      9,
    );
  });

  it('never makes a rounding error at antipodes into NaN', () => {
    fc.assert(
      fc.property(anywhere, ({ latitude, longitude }) => {
        const km = haversineKm(at(latitude, longitude), at(-latitude, longitude - 180));
        // Near the antipodes the formula is ill-conditioned: a rounding error of 1e-16 moves the result by decimetres.
        expect(Math.abs(km - HALF_CIRCUMFERENCE_KM)).toBeLessThan(0.001);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is a distance: symmetric, nowhere negative, never over half the circumference', () => {
    fc.assert(
      fc.property(anywhere, anywhere, (from, to) => {
        const km = haversineKm(from, to);
        expect(km).toBeGreaterThanOrEqual(0);
        expect(km).toBeLessThanOrEqual(HALF_CIRCUMFERENCE_KM);
        expect(haversineKm(to, from)).toBeCloseTo(km, 3);
      }),
    );
  });
});
