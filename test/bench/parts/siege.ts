import { setTimeout as sleep } from 'node:timers/promises';
import { LONG_HOLD, type Bench, type Site } from '../bench';
import { ratio, type Figure } from '../figure';
import { analyzeTables } from '../fill/bulk';
import { addEvents } from '../fill/world';
import { interleave, type Summary } from '../measure';
import type { Part } from '../part';
import { ATTACKS } from '../siege/attacks';
import { reserve } from '../windows';

/** A siege lasts; what all its connections ask for at once when it begins is another thing. */
const UNDER_WAY_MS = 1_000;

/** A stranger with one address does all that its limits allow, beside honest buyers. */
export const siege: Part = {
  name: 'siege',
  about: 'reservations while one address attacks within its limits, in one way after the other',
  run: async (bench) => {
    const site = await createSite(bench);
    const figures: Figure[] = [];
    const measured: Record<string, Summary> = {};
    for (const [name, attack] of Object.entries(ATTACKS)) {
      const { besieged, quiet } = await interleave(
        bench.shortTerms,
        {
          besieged: async (seconds) => {
            const running = attack(site.api.url);
            await sleep(UNDER_WAY_MS);
            try {
              return await reserve(bench, site, { seconds });
            } finally {
              await running.stop();
            }
          },
          quiet: (seconds) => reserve(bench, site, { seconds }),
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
    const refused = Object.values(measured).reduce((sum, { outcomes }) => sum + unavailable(outcomes), 0);
    return {
      figures: [
        ...figures,
        {
          name: 'siege, in all its ways: reservations answered 503',
          value: refused,
          unit: 'answers',
          good: 'below',
          atLeast: 0,
        },
      ],
      measurements: measured,
    };
  },
};

/** Two hundred thousand events all over the world, every second of them sold out; the limits are those of production. */
async function createSite(bench: Bench): Promise<Site> {
  const count = bench.sized(200_000);
  return await bench.timed(`Filling: ${count.toLocaleString('en')} events`, async () => {
    const { database, users } = await bench.copyTemplate();
    await addEvents(database, { count, when: 'future' });
    await database.sql('UPDATE quotas SET capacity = 0 WHERE event_id % 2 = 0');
    await analyzeTables(database, 'events', 'inventory');
    const environment = { ...LONG_HOLD, RATE_LIMIT_PER_MINUTE: '600' };
    return { database, users, api: await bench.startApi(database, environment) };
  });
}

const unavailable = (outcomes: Record<string, number>) =>
  Object.entries(outcomes).reduce(
    (sum, [outcome, number]) => (outcome.startsWith('503') ? sum + number : sum),
    0,
  );
