import type { Statement } from '../database/statements';
import { EARTH_RADIUS_KM } from './haversine';

const COLUMNS = `events.id, events.title, events.description, events.start_time AS "startTime",
  events.end_time AS "endTime", events.venue_address AS "venueAddress", events.venue_latitude AS "venueLatitude",
  events.venue_longitude AS "venueLongitude", events.created_at AS "createdAt", inventory.capacity,
  inventory.held, inventory.sold`;

export const eventById: Statement = {
  name: 'event_by_id',
  text: `SELECT ${COLUMNS} FROM events JOIN inventory ON inventory.event_id = events.id WHERE events.id = $1`,
};

/** `$1`, `$2` sort key to start behind, `$3` instant to stop before, `$4` how many. */
export const eventsByStart: Statement = {
  text: `
    SELECT ${COLUMNS}
    FROM events JOIN inventory ON inventory.event_id = events.id
    WHERE (events.start_time, events.id) > ($1::timestamptz, $2::bigint) AND events.start_time < $3::timestamptz
    ORDER BY events.start_time, events.id
    LIMIT $4`,
};

/**
 * `$1` latitude, `$2` longitude, `$3` radius in km, `$4`, `$5` sort key to start behind, `$6` how many.
 *
 * Positions are points of the unit sphere. The chord between two of them grows with their great-circle distance, so
 * the index that walks from point to point by the one (`<->`, nearest neighbour) does so by the other; 2 R asin(chord
 * / 2) turns it into km. The walk ends by itself after the rows that are wanted, and WITH TIES after the last at the
 * same place, so that events of one venue can be put in the order of their ids.
 */
export const eventsNearby: Statement = {
  text: `
    SELECT ${COLUMNS}, nearest.chord, km.distance AS "distanceKm"
    FROM (
      SELECT id, position <-> unit_sphere_point($1, $2) AS chord
      FROM events
      WHERE position IS NOT NULL AND end_time > now()
        AND (position <-> unit_sphere_point($1, $2), id) > ($4::float8, $5::bigint)
      ORDER BY position <-> unit_sphere_point($1, $2)
      FETCH FIRST $6 ROWS WITH TIES
    ) AS nearest
    CROSS JOIN LATERAL (
      SELECT round((2 * ${EARTH_RADIUS_KM} * asin(least(1, chord / 2)))::numeric, 3)::float8 AS distance
    ) AS km
    JOIN events USING (id)
    JOIN inventory ON inventory.event_id = events.id
    WHERE km.distance <= $3::float8
    ORDER BY nearest.chord, nearest.id
    LIMIT $6`,
};
