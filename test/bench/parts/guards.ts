import { Settings } from '../../../src/config/settings';
import { LONG_HOLD, type Bench } from '../bench';
import { SeatsMismatch } from '../check';
import { ratio } from '../figure';
import { openEvents } from '../fill/seats';
import type { Ids, LoadResult, MixedCase } from '../load/job';
import { interleave, summarize, type Summary } from '../measure';
import type { Part } from '../part';
import { checkReservations, reserve } from '../windows';

/** Far beyond every id there is. */
const NOBODY = 1e12;
const SOLD_OUT = '409 event_sold_out';
const PLACES = 10_000;

/** Nothing is won by leaving a check out: every refusal, at full speed, in the midst of good requests. */
export const guards: Part = {
  name: 'guards',
  about:
    'what guards cost; good and poisoned requests at once, the last places of an event: every answer, every seat',
  run: async (bench) => {
    const { guarded, unguarded, price } = await measurePrice(bench);
    const mixed = await sendMixed(bench);
    const lastPlaces = await sellOut(bench);
    const sold = lastPlaces.outcomes['201'] ?? 0;
    return {
      figures: [
        {
          name: 'reservations/s, one hot event ÷ the same with guards off',
          ...price,
          good: 'above',
          atLeast: 0.9,
        },
        {
          name: 'answers to good and poisoned requests at once, other than each alone would get',
          value: mixed.unexpected + lastPlaces.unexpected,
          unit: 'answers',
          good: 'below',
          atLeast: 0,
        },
        {
          name: 'places sold to 64 connections beyond the last of 10,000',
          value: sold - bench.sized(PLACES),
          unit: 'places',
          good: 'below',
          atLeast: 0,
        },
      ],
      measurements: {
        'one hot event, guards on': guarded,
        'one hot event, guards off': unguarded,
        'good and poisoned requests': summarize([mixed]),
        'the last 10,000 places': summarize([lastPlaces]),
      },
    };
  },
};

/**
 * Two processes of the very same code differ by as much as guards cost, as luck has it in compiling and in memory. So
 * each round has fresh ones, and the middle one of the rounds' ratios counts.
 */
async function measurePrice(bench: Bench) {
  const site = await bench.few();
  const rounds: [guarded: Summary, unguarded: Summary][] = [];
  for (let round = 1; round <= bench.terms.rounds; round++) {
    const apis = {
      guarded: await bench.startApi(site.database, LONG_HOLD),
      unguarded: await bench.startApi(site.database, LONG_HOLD, 'test/bench/unguarded-api.js'),
    };
    const measureOf = (target: { url: string }) => (seconds: number) =>
      reserve(bench, site, { seconds, target });
    const { guarded, unguarded } = await interleave(
      { rounds: 1, seconds: bench.terms.seconds },
      { guarded: measureOf(apis.guarded), unguarded: measureOf(apis.unguarded) },
      (name, _round, result) => bench.tell(name, round, result),
    );
    rounds.push([guarded, unguarded]);
    for (const api of Object.values(apis)) await api.stop();
  }
  return {
    guarded: summarize(rounds.map(([guarded]) => guarded)),
    unguarded: summarize(rounds.map(([, unguarded]) => unguarded)),
    price: middleOf(
      rounds.map(([guarded, unguarded]) => ratio(guarded.perSecond, unguarded.perSecond, '/s')),
    ),
  };
}

/** As many of the ratios are larger as are smaller. */
const middleOf = (ratios: ReturnType<typeof ratio>[]) =>
  ratios.toSorted((a, b) => a.value - b.value)[ratios.length >> 1] ?? ratio(NaN, NaN, '/s');

async function sendMixed(bench: Bench): Promise<LoadResult> {
  const { api, database, users } = await bench.few();
  const small = await openEvents(database, 10, bench.sized(1_000));
  const coveted = await openEvents(database, 1, bench.sized(PLACES));
  const none = await openEvents(database, 1, 0);
  const over = await openEvents(database, 1, bench.sized(PLACES), true);
  const greedy = users.first;
  const others = { first: users.first + 1, count: users.count - 1 };
  const cases: MixedCase[] = [
    { weight: 12, body: { user_id: others, event_id: small }, expected: ['201', SOLD_OUT] },
    { weight: 1, body: { user_id: others, event_id: none }, expected: [SOLD_OUT] },
    { weight: 1, body: { user_id: NOBODY, event_id: small }, expected: ['404 user_not_found'] },
    { weight: 1, body: { user_id: others, event_id: NOBODY }, expected: ['404 event_not_found'] },
    { weight: 1, body: { user_id: others, event_id: over }, expected: ['409 event_ended'] },
    { weight: 1, body: { user_id: greedy, event_id: coveted }, expected: ['201', '409 hold_limit_reached'] },
    { weight: 1, body: { user_id: '1', event_id: small }, expected: ['422 validation_failed'] },
  ];
  const result = await bench.load.run(
    { target: { url: api.url }, connections: bench.connections, requests: { kind: 'mixed', cases } },
    bench.terms.seconds,
  );
  bench.tell('good and poisoned requests', 1, result);
  await checkReservations(database, { first: small.first, count: over.first + 1 - small.first }, result);

  const limit = new Settings().MAX_HOLDS_PER_USER_EVENT;
  const [counters] = await database.sql<{ held: number }>('SELECT held FROM quotas WHERE event_id = $1', [
    coveted.first,
  ]);
  if (counters?.held !== limit) {
    throw new SeatsMismatch(
      `Seats: one user may hold ${limit} tickets of an event and holds ${counters?.held}.`,
    );
  }
  return result;
}

/** A fifth more requests than places. */
async function sellOut(bench: Bench): Promise<LoadResult> {
  const { api, database, users } = await bench.few();
  const places = bench.sized(PLACES);
  const event: Ids = await openEvents(database, 1, places);
  const cases: MixedCase[] = [
    { weight: 1, body: { user_id: users, event_id: event }, expected: ['201', SOLD_OUT] },
  ];
  const result = await bench.load.start({
    target: { url: api.url },
    connections: bench.connections,
    requests: { kind: 'mixed', cases, most: Math.ceil(places * 1.2) },
  }).done;
  bench.tell(`the last ${places} places`, 1, result);
  await checkReservations(database, event, result);
  if (result.outcomes['201'] !== places) {
    throw new SeatsMismatch(`Seats: of ${places} places ${result.outcomes['201']} were sold.`);
  }
  return result;
}
