import type { Bench, Site } from '../bench';
import { ratio } from '../figure';
import { analyzeTables } from '../fill/bulk';
import { addEvents, usersOf, type EventsToAdd } from '../fill/world';
import { interleave } from '../measure';
import type { Part } from '../part';

/** Where the crowd is. */
const CITY = 1;
const ADDRESSES = 1_000;

/** Events near a user. In every case there are more than the 50 of a page, so that only finding them can differ. */
export const nearby: Part = {
  name: 'nearby',
  about: 'for-you among 10,000 and a million events, in a crowded city, and among past events',
  run: async (bench) => {
    const plain: EventsToAdd = { count: bench.sized(10_000), when: 'future' };
    const few = await createSite(bench, 'Filling: 10,000 events', plain);
    const crowded = await createSite(bench, 'Filling: 100,000 of 110,000 events in one city', plain, {
      count: bench.sized(100_000),
      when: 'future',
      city: CITY,
    });
    const past = await createSite(bench, 'Filling: 90,000 of 100,000 events in the past', plain, {
      count: bench.sized(90_000),
      when: 'past',
    });
    const million = await bench.million();

    const measured = await interleave(
      bench.shortTerms,
      {
        '10,000 events': (seconds) => ask(bench, few, seconds),
        '1,000,000 events': (seconds) => ask(bench, million, seconds),
        '100,000 inside the radius': (seconds) => ask(bench, crowded, seconds, usersOf(crowded.users, CITY)),
        '90 % in the past': (seconds) => ask(bench, past, seconds),
      },
      bench.tell,
    );
    const times = (name: keyof typeof measured) =>
      ratio(measured[name].p50, measured['10,000 events'].p50, 'ms');
    return {
      figures: [
        {
          name: 'for-you over HTTP, p50 with 1,000,000 events ÷ with 10,000',
          ...times('1,000,000 events'),
          good: 'below',
          atLeast: 1.5,
          reachFor: 1.1,
        },
        {
          name: 'for-you in a city with 100,000 future events inside the radius ÷ the plain case',
          ...times('100,000 inside the radius'),
          good: 'below',
          atLeast: 2,
          reachFor: 1.2,
        },
        {
          name: 'for-you with 90 % of all events in the past ÷ the plain case',
          ...times('90 % in the past'),
          good: 'below',
          atLeast: 2,
          reachFor: 1.2,
        },
      ],
      measurements: measured,
      notes: ['The plain case: 10,000 future events, 100 around each of 100 cities.'],
    };
  },
};

async function createSite(bench: Bench, what: string, ...fillings: EventsToAdd[]): Promise<Site> {
  return await bench.timed(what, () =>
    bench.createSite(async (database) => {
      for (const filling of fillings) await addEvents(database, filling);
      await analyzeTables(database, 'events', 'quotas', 'ticket_types');
    }),
  );
}

async function ask(bench: Bench, { api, users }: Site, seconds: number, askers?: number[]) {
  const paths = Array.from({ length: ADDRESSES }, (_, i) => {
    const user = askers ? askers[i % askers.length] : users.first + ((i * 7_919) % users.count);
    return `/users/for-you/?user_id=${user}&max_distance_km=30`;
  });
  return await bench.load.run(
    { target: { url: api.url }, connections: bench.connections, requests: { kind: 'get', paths } },
    seconds,
  );
}
