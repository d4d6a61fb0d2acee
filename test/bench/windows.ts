import { LONG_HOLD, type Bench, type Site } from './bench';
import { checkSeats, unanswered } from './check';
import { openSales, type SaleKind } from './fill/sales';
import { addHolds, openEvents } from './fill/seats';
import type { Ids, Job, LoadResult } from './load/job';
import { interleave, type Measure, type Summary } from './measure';

/** More than can be paid in a second. */
const PAYMENTS_PER_SECOND = 15_000;
/** Connections that reserve directly: with more, they would only wait longer for each other. */
const DIRECT_CONNECTIONS = 32;

type Window = (bench: Bench, seconds: number) => Promise<LoadResult>;

/** Throughput, each of events of its own, whose seats are counted afterwards. */
const WINDOWS = {
  'bare Express': async (bench, seconds) => await echo(bench, seconds, await bench.bareExpress()),
  'one hot event': async (bench, seconds) => await reserve(bench, await bench.few(), { seconds }),
  '1,000 events': async (bench, seconds) =>
    await reserve(bench, await bench.few(), { seconds, events: bench.sized(1_000) }),
  payments: async (bench, seconds) => await pay(bench, await bench.few(), seconds),
  'one statement each, same app': async (bench, seconds) =>
    await reserve(bench, await bench.oneStatement(), { seconds }),
  'direct, our statement': async (bench, seconds) => await reserveDirectly(bench, seconds, 'ours'),
  'direct, simple statement': async (bench, seconds) => await reserveDirectly(bench, seconds, 'simple'),
} satisfies Record<string, Window>;

export type WindowName = keyof typeof WINDOWS;

/** Measures the windows in turn. */
export async function measureWindows(
  bench: Bench,
  wanted: readonly WindowName[],
): Promise<Partial<Record<WindowName, Summary>>> {
  if (wanted.length === 0) return {};
  const names = (Object.keys(WINDOWS) as WindowName[]).filter((name) => wanted.includes(name));
  const measures = names.map((name): [WindowName, Measure] => [
    name,
    (seconds) => WINDOWS[name](bench, seconds),
  ]);
  bench.say(`In turn: ${names.join('; ')}`);
  return await interleave(bench.terms, Object.fromEntries(measures), bench.tell);
}

/** Reservations that are answered back by an app that does nothing else. */
export async function echo(bench: Bench, seconds: number, { url }: { url: string }): Promise<LoadResult> {
  const { users } = await bench.few();
  const requests = reservations(users, { first: 1, count: 1 });
  return await bench.load.run({ target: { url }, connections: bench.connections, requests }, seconds);
}

interface Reserving {
  seconds: number;
  events?: number;
  target?: Job['target'];
  connections?: number;
}

/** Reservations of random users spread over new events, whose seats are counted afterwards. */
export async function reserve(
  bench: Bench,
  { api, database, users }: Site,
  { seconds, events = 1, target = { url: api.url }, connections = bench.connections }: Reserving,
): Promise<LoadResult> {
  const opened = await openEvents(database, events);
  const result = await bench.load.run(
    { target, connections, requests: reservations(users, opened) },
    seconds,
  );
  await checkReservations(database, opened, result);
  return result;
}

/** Settings of an API for `placeOrders`: users are drawn several times. */
export const ROOMY = { ...LONG_HOLD, MAX_HOLDS_PER_USER_EVENT: '1000' };

interface Ordering {
  kind: SaleKind;
  /** Events. */
  count: number;
  isKeyed?: boolean;
  seconds: number;
}

/** Orders of 1 to 8 tickets of random users spread over new events. */
export async function placeOrders(
  bench: Bench,
  { api, database, users }: Site,
  { kind, count, isKeyed, seconds }: Ordering,
): Promise<LoadResult> {
  const sale = await openSales(database, { kind, count });
  const requests = { kind: 'order' as const, users, ...sale, isKeyed };
  return await bench.load.run(
    { target: { url: api.url }, connections: bench.connections, requests },
    seconds,
  );
}

/** Holds the seats of events against the answers to reservations of them. */
export async function checkReservations(
  database: Site['database'],
  events: Ids,
  { outcomes }: LoadResult,
): Promise<void> {
  await checkSeats(database, events, { held: outcomes['201'] ?? 0, sold: 0, unknown: unanswered(outcomes) });
}

async function reserveDirectly(bench: Bench, seconds: number, statement: 'ours' | 'simple') {
  const site = await bench.few();
  const target = { databaseUrl: site.database.url, statement };
  return await reserve(bench, site, { seconds, target, connections: DIRECT_CONNECTIONS });
}

/** Payments for holds of a new event, whose seats are counted afterwards. */
export async function pay(
  bench: Bench,
  { api, database, users }: Site,
  seconds: number,
): Promise<LoadResult> {
  const event = await openEvents(database, 1);
  const count = Math.ceil(PAYMENTS_PER_SECOND * (seconds + 1));
  const tickets = await addHolds(database, { event, users, count, expiresAt: `now() + interval '1 day'` });
  const result = await bench.load.run(
    { target: { url: api.url }, connections: bench.connections, requests: { kind: 'pay', tickets, users } },
    seconds,
  );
  const sold = result.outcomes['200'] ?? 0;
  const unknown = unanswered(result.outcomes);
  await checkSeats(database, event, { held: count - sold, sold, unknown });
  return result;
}

export const reservations = (users: Ids, events: Ids, most?: number) => ({
  kind: 'reserve' as const,
  users,
  events,
  most,
});
