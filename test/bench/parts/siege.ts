import { setTimeout as sleep } from 'node:timers/promises';
import { LONG_HOLD, type Bench, type Site } from '../bench';
import { ratio, type Figure } from '../figure';
import { analyzeTables } from '../fill/bulk';
import { openEvents } from '../fill/seats';
import { addEvents } from '../fill/world';
import type { LoadResult } from '../load/job';
import { interleave, type Summary } from '../measure';
import type { Part } from '../part';
import { ATTACKS } from '../siege/attacks';
import type { Attack } from '../siege/flood';
import { checkReservations, reservations } from '../windows';

const WARM_UP_MS = 500;

/** A stranger with one address does all that its limits allow, beside honest buyers. */
export const siege: Part = {
  name: 'siege',
  about: 'reservations while one address attacks within its limits, in one way after the other',
  run: async (bench) => {
    const site = await createSite(bench);
    const figures: Figure[] = [];
    const measured: Record<string, Summary> = {};
    let attackers = 0;
    for (const [name, attack] of Object.entries(ATTACKS)) {
      // Each time a new address, which has used up nothing of its limits.
      const begin = () => attack(site.api.url, `127.2.0.${++attackers}`);
      const { besieged, quiet } = await interleave(
        bench.shortTerms,
        {
          besieged: (seconds) => reserve(bench, site, seconds, begin),
          quiet: (seconds) => reserve(bench, site, seconds),
        },
        (kind, round, result) => bench.tell(`${name}, ${kind}`, round, result),
      );
      measured[name] = besieged;
      measured[`${name}, quiet`] = quiet;
      figures.push(
        {
          name: `siege by ${name}: reservations/s ÷ in quiet`,
          ...ratio(besieged.perSecond, quiet.perSecond, '/s'),
          good: 'above',
          atLeast: 0.6,
        },
        {
          name: `siege by ${name}: reservations' p99 ÷ in quiet`,
          ...ratio(besieged.p99, quiet.p99, 'ms'),
          good: 'below',
          atLeast: 3,
        },
      );
    }
    const refused = Object.values(measured).reduce((sum, { unexpected }) => sum + unexpected, 0);
    return {
      figures: [
        ...figures,
        {
          name: 'siege, in all its ways: reservations refused',
          value: refused,
          unit: 'answers',
          good: 'below',
          atLeast: 0,
        },
      ],
      measurements: measured,
      notes: [
        'The limits are those of production. Each buyer has an address of its own and stays within its limits.',
        'The attacker has one address, and asks at once for all that its limits allow in a minute, from the first moment on.',
      ],
    };
  },
};

/** Reservations of one event, and what an attack that begins with the measurement makes of them. */
async function reserve(
  bench: Bench,
  { api, database, users }: Site,
  seconds: number,
  begin?: () => Attack,
): Promise<LoadResult> {
  const event = await openEvents(database, 1);
  const load = bench.load.start({
    target: { url: api.url },
    connections: bench.connections,
    requests: reservations(users, event),
  });
  await sleep(WARM_UP_MS);
  load.mark();
  const attack = begin?.();
  await sleep(seconds * 1_000);
  const result = await load.stop();
  await attack?.stop();
  await checkReservations(database, event, result);
  return result;
}

/** Two hundred thousand events all over the world, every second of them sold out; the limits are those of production. */
async function createSite(bench: Bench): Promise<Site> {
  const count = bench.sized(200_000);
  return await bench.timed(`Filling: ${count.toLocaleString('en')} events`, async () => {
    const { database, users } = await bench.copyTemplate();
    await addEvents(database, { count, when: 'future' });
    await database.sql('UPDATE quotas SET capacity = 0 WHERE event_id % 2 = 0');
    await analyzeTables(database, 'events', 'quotas', 'ticket_types');
    const environment = { ...LONG_HOLD, RATE_LIMIT_PER_MINUTE: '600' };
    return { database, users, api: await bench.startApi(database, environment) };
  });
}
