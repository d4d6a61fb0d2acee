import { EventsQuery } from '../../../src/events/events-query.dto';
import { cursorAfter, PageQuery } from '../../../src/http/page';
import type { Bench, Site } from '../bench';
import { ratio } from '../figure';
import { analyzeTables } from '../fill/bulk';
import { addHistory } from '../fill/tickets';
import { interleave, type Measure } from '../measure';
import type { Part } from '../part';

const DEPTHS = [0, 10_000, 1_000_000];
const LISTS = ['GET /events/', 'GET /users/{id}/tickets'] as const;
const nameOf = (list: string, depth: number) => `${list} at ${depth.toLocaleString('en')}`;

/** A page costs the same at any depth. */
export const paging: Part = {
  name: 'paging',
  about: 'the first page of a list, beside the one at a depth of a million',
  run: async (bench) => {
    const site = await bench.million();
    const user = site.users.first;
    const deepest = bench.sized(1_000_000);
    await bench.timed(`Filling: ${(deepest + 1_000).toLocaleString('en')} tickets of one user`, async () => {
      await addHistory(site.database, user, deepest + 1_000);
      await analyzeTables(site.database, 'tickets');
    });

    const pages = await Promise.all(
      DEPTHS.flatMap((depth) => [
        eventsAt(site, bench.sized(depth)).then((path) => [nameOf(LISTS[0], depth), path] as const),
        ticketsAt(site, user, bench.sized(depth)).then((path) => [nameOf(LISTS[1], depth), path] as const),
      ]),
    );
    const measures = pages.map(([name, path]): [string, Measure] => [
      name,
      (seconds) => ask(bench, site, path, seconds),
    ]);
    const measured = await interleave(bench.shortTerms, Object.fromEntries(measures), bench.tell);
    const p50 = (list: string, depth: number) => measured[nameOf(list, depth)]?.p50 ?? NaN;
    return {
      figures: LISTS.map((list) => ({
        name: `${list}, page at depth 1,000,000 ÷ first page`,
        ...ratio(p50(list, 1_000_000), p50(list, 0), 'ms'),
        good: 'below',
        atLeast: 1.5,
        reachFor: 1.1,
      })),
      measurements: measured,
    };
  },
};

async function ask(bench: Bench, { api }: Site, path: string, seconds: number) {
  return await bench.load.run(
    { target: { url: api.url }, connections: bench.connections, requests: { kind: 'get', paths: [path] } },
    seconds,
  );
}

/** The benchmark does not page through a million rows: it looks up the row before the page, and makes its cursor as the API does. */
async function eventsAt({ database }: Site, depth: number): Promise<string> {
  if (depth === 0) return '/events/';
  const rows = await database.sql<{ start_time: Date; id: string }>(
    'SELECT start_time, id FROM events ORDER BY start_time, id OFFSET $1 LIMIT 1',
    [depth - 1],
  );
  const [row] = rows as [(typeof rows)[0]];
  return `/events/?cursor=${cursorAfter([row.start_time.toISOString(), Number(row.id)], new EventsQuery())}`;
}

async function ticketsAt({ database }: Site, user: number, depth: number): Promise<string> {
  if (depth === 0) return `/users/${user}/tickets`;
  const rows = await database.sql<{ order_id: string; id: string }>(
    'SELECT order_id, id FROM ticket_states WHERE user_id = $1 ORDER BY order_id DESC, id DESC OFFSET $2 LIMIT 1',
    [user, depth - 1],
  );
  const key = [Number(rows[0]?.order_id), Number(rows[0]?.id)];
  return `/users/${user}/tickets?cursor=${cursorAfter(key, new PageQuery())}`;
}
