import { sellEvents } from '../../support/fill';
import type { Database } from '../harness/database';
import type { Ids } from '../load/job';
import { insertInBulk } from './bulk';

/** Cities, spread evenly over the globe along a spiral; the n-th user and the n-th event are near the n-th of them. */
export const CITIES = 100;

/**
 * Rows `n`, `latitude`, `longitude`: `count` points, each within `radiusKm` of its city. The random numbers are the
 * same each time.
 */
const pointsNearCities = (count: number, radiusKm: number, city = `n % ${CITIES}`) => `
  SELECT n, latitude, longitude - 360 * floor((longitude + 180) / 360) AS longitude
  FROM (
    SELECT n, city_latitude + distance * cos(direction) / 111.2 AS latitude,
      city_longitude + distance * sin(direction) / (111.2 * cos(radians(city_latitude))) AS longitude
    FROM (
      SELECT n, degrees(asin((2 * city + 1) / ${CITIES}.0 - 1)) AS city_latitude,
        (city * 137.508)::float8 AS city_longitude, ${radiusKm} * sqrt(random()) AS distance,
        2 * pi() * random() AS direction
      FROM (SELECT n, ${city} AS city FROM generate_series(1, ${count}) AS n) AS numbered
    ) AS polar
  ) AS point`;

const REPEATABLE = 'SELECT setseed(0.5)';

/** People at home within 5 km of their cities. */
export async function addUsers(database: Database, count: number): Promise<Ids> {
  await insertInBulk(
    database,
    'users',
    REPEATABLE,
    `INSERT INTO users (name, email, location_latitude, location_longitude)
     SELECT 'User ' || n, 'user' || n || '@example.com', latitude, longitude
     FROM (${pointsNearCities(count, 5)}) AS home ORDER BY n`,
  );
  return { first: 1, count };
}

/** The ids of those users who live in a city. */
export function usersOf(users: Ids, city: number): number[] {
  const first = users.first + ((city + CITIES - 1) % CITIES);
  const number = Math.ceil((users.first + users.count - first) / CITIES);
  return Array.from({ length: Math.max(0, number) }, (_, i) => first + i * CITIES);
}

export interface EventsToAdd {
  count: number;
  /** `past`: over since days or years; `future`: within the next year. */
  when: 'past' | 'future';
  /** All in this one; left out: spread over all. */
  city?: number;
  /** How far from the middle of their city; 0: all at one venue. */
  withinKm?: number;
}

/** Events around their cities, with 100 places each. */
export async function addEvents(
  database: Database,
  { count, when, city, withinKm = 20 }: EventsToAdd,
): Promise<void> {
  const start = when === 'past' ? `-1 - random() * 1000` : `1 + random() * 365`;
  await insertInBulk(
    database,
    'events',
    REPEATABLE,
    `INSERT INTO events (title, description, start_time, end_time, venue_address, venue_latitude, venue_longitude)
     SELECT 'Concert ' || n, 'An evening of music, the ' || n || 'th of its kind.', start_time,
       start_time + interval '3 hours', n || ' High Street', latitude, longitude
     FROM (
       SELECT point.*, date_trunc('second', now()) + (${start}) * interval '1 day' AS start_time
       FROM (${pointsNearCities(count, withinKm, city?.toString())}) AS point
     ) AS concert ORDER BY n`,
    sellEvents(
      'SELECT id, 100, 0, 0 FROM events WHERE NOT EXISTS (SELECT FROM quotas WHERE event_id = events.id) ORDER BY id',
    ),
  );
}
