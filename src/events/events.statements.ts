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

const POSITION = 'unit_sphere_point(venue_latitude, venue_longitude)';
const CENTER = 'unit_sphere_point($1, $2)';

/**
 * `$1` latitude, `$2` longitude, `$3` radius in km, `$4` its chord, `$5`, `$6` sort key to start behind, `$7` how many.
 *
 * The chord between two points of the unit sphere grows with their great-circle distance, so the index that orders
 * by the one (`<->`, nearest neighbour) orders by the other; 2 R asin(chord / 2) turns it into km. The box of
 * `cube_enlarge` keeps the index from walking past the radius.
 */
export const eventsNearby: Statement = {
  text: `
    SELECT ${COLUMNS}, near.chord, near.distance_km AS "distanceKm"
    FROM (
      SELECT id, chord, distance_km
      FROM (
        SELECT id, ${POSITION} <-> ${CENTER} AS chord
        FROM events
        WHERE venue_latitude IS NOT NULL AND end_time > now() AND ${POSITION} <@ cube_enlarge(${CENTER}, $4, 3)
      ) AS inside,
        LATERAL (SELECT round((2 * ${EARTH_RADIUS_KM} * asin(least(1, chord / 2)))::numeric, 3)::float8) AS km (distance_km)
      WHERE distance_km <= $3::float8 AND (chord, id) > ($5::float8, $6::bigint)
      ORDER BY chord, id
      LIMIT $7
    ) AS near
    JOIN events USING (id)
    JOIN inventory ON inventory.event_id = events.id
    ORDER BY near.chord, near.id`,
};
