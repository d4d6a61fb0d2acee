import type { Bench, Site } from '../bench';
import { ratio, type Figure } from '../figure';
import { analyzeTables } from '../fill/bulk';
import { addEvents, CITIES, usersOf } from '../fill/world';
import { interleave, type Measure } from '../measure';
import type { Part } from '../part';

/** Where the venue is. */
const CITY = 1;
/** Fewer than elsewhere: a page that costs much must be answered within the measurement, else it would not count. */
const CONNECTIONS = 16;
const PLAIN = 'first page of all events';

/** Half a million events, half of them at one venue, all sold out: no page reads more than it may. */
export const crowded: Part = {
  name: 'crowded',
  about: 'pages of 250,000 events at one venue, and of 500,000 that are sold out',
  run: async (bench) => {
    const site = await bench.timed('Filling: 500,000 events, 250,000 of them at one venue', () =>
      createSite(bench),
    );
    const { latitude, longitude } = await venueOf(site);
    const near = `near=${latitude},${longitude}`;
    const here = usersOf(site.users, CITY)[0];
    const elsewhere = usersOf(site.users, CITIES / 2)[0];
    const paths: Record<string, string> = {
      [PLAIN]: '/events/',
      'for-you elsewhere': `/users/for-you/?user_id=${elsewhere}`,
      'for-you at the venue': `/users/for-you/?user_id=${here}`,
      'at the venue, by start': `/events/?${near}&sort=start_time`,
      'with places, of sold-out events': '/events/?available=true',
      'with places, at the venue, nearest first': `/events/?available=true&${near}&sort=distance`,
    };
    const measures = Object.entries(paths).map(([name, path]): [string, Measure] => [
      name,
      (seconds) =>
        bench.load.run(
          {
            target: { url: site.api.url },
            connections: CONNECTIONS,
            requests: { kind: 'get', paths: [path] },
          },
          seconds,
        ),
    ]);
    const measured = await interleave(bench.terms, Object.fromEntries(measures), bench.tell);
    const p50 = (name: string) => measured[name]?.p50 ?? NaN;
    const figure = (name: string, plain: string): Figure => ({
      name: `${name}, p50 ÷ ${plain}`,
      ...ratio(p50(name), p50(plain), 'ms'),
      good: 'below',
      atLeast: 3,
    });
    return {
      figures: [
        figure('for-you at the venue', 'for-you elsewhere'),
        ...Object.keys(paths)
          .slice(3)
          .map((name) => figure(name, PLAIN)),
      ],
      measurements: measured,
      notes: ['250,000 of 500,000 events are at one venue; all are sold out.'],
    };
  },
};

async function createSite(bench: Bench): Promise<Site> {
  return await bench.createSite(async (database) => {
    const count = bench.sized(250_000);
    await addEvents(database, { count, when: 'future', city: CITY, withinKm: 0 });
    await addEvents(database, { count, when: 'future' });
    await database.sql('UPDATE quotas SET capacity = 0');
    await analyzeTables(database, 'events', 'quotas', 'ticket_types');
  });
}

/** The first events are at the venue. */
async function venueOf({ database }: Site) {
  const [venue] = await database.sql<{ latitude: number; longitude: number }>(
    'SELECT venue_latitude AS latitude, venue_longitude AS longitude FROM events ORDER BY id LIMIT 1',
  );
  return venue ?? { latitude: NaN, longitude: NaN };
}
