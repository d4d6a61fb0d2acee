/** Mean radius of the Earth in km, as the IUGG defines it, rounded (Moritz 2000, Geodetic Reference System 1980). */
export const EARTH_RADIUS_KM = 6371;

export interface Coordinates {
  /** Degrees north. */
  latitude: number;
  /** Degrees east. */
  longitude: number;
}

const radians = (degrees: number) => (degrees * Math.PI) / 180;

/**
 * Great-circle distance in km on a sphere, by the haversine formula (R. W. Sinnott, "Virtues of the Haversine", Sky
 * and Telescope 68, 1984). The clamp keeps the rounding error at antipodes out of the root.
 */
export function haversineKm(from: Coordinates, to: Coordinates): number {
  const halfLatitude = Math.sin(radians(to.latitude - from.latitude) / 2);
  const halfLongitude = Math.sin(radians(to.longitude - from.longitude) / 2);
  const h =
    halfLatitude ** 2 +
    Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude)) * halfLongitude ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(Math.min(1, h)));
}

/** Length of the straight line through the unit sphere between two points `distanceKm` apart on its surface. */
export const chordOfDistance = (distanceKm: number) =>
  2 * Math.sin(Math.min(distanceKm / (2 * EARTH_RADIUS_KM), Math.PI / 2));
