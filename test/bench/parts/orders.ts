import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Site } from '../bench';
import { ratio, type Figure } from '../figure';
import { addOrders, openSales, type SaleKind } from '../fill/sales';
import type { LoadResult } from '../load/job';
import { interleave, median } from '../measure';
import type { Part } from '../part';
import { echo, placeOrders, reserve, ROOMY } from '../windows';

/** Of 1 to 8. */
const MEAN_TICKETS = 4.5;
const PAYMENTS_PER_SECOND = 10_000;
const DUE_PLACES = 100_000;
const POLL_MS = 10;

/** Several tickets at once, all or none: beside one ticket at a time, on the same event, in the same run. */
export const orders: Part = {
  name: 'orders',
  about:
    'orders of 1 to 8 tickets beside single tickets: types with shared quotas, keys, payments, the end of holds',
  run: async (bench) => {
    const { database, users } = await bench.copyTemplate();
    const api = await bench.startApi(database, ROOMY);
    const site: Site = { database, users, api };
    const express = await bench.bareExpress();
    const wal: { single: number[]; orders: number[] } = { single: [], orders: [] };
    const order = (kind: SaleKind, count = 1, isKeyed = false) => {
      return (seconds: number) => placeOrders(bench, site, { kind, count, isKeyed, seconds });
    };
    const measured = await interleave(
      bench.terms,
      {
        'single tickets': (seconds) => withWal(site, wal.single, 1, () => reserve(bench, site, { seconds })),
        orders: (seconds) => withWal(site, wal.orders, MEAN_TICKETS, () => order('one')(seconds)),
        'three types, shared quota': order('three'),
        'three types, with keys': order('three', 1, true),
        'four types with quotas, one event': order('four'),
        'four types with quotas, 1,000 events': order('four', bench.sized(1_000)),
        payments: (seconds) => pay(bench, site, seconds),
        'bare Express': (seconds) => echo(bench, seconds, express),
      },
      bench.tell,
    );
    const seconds = [];
    for (let round = 1; round <= bench.terms.rounds; round++) seconds.push(await expireAtOnce(bench, site));

    const single = measured['single tickets'].perSecond;
    const three = measured['three types, shared quota'].perSecond;
    const figures: Figure[] = [
      {
        name: 'tickets/s in orders of 1 to 8 on one hot event ÷ tickets/s one at a time',
        ...ratio(measured.orders.perSecond * MEAN_TICKETS, single, '/s'),
        good: 'above',
        atLeast: 2.5,
        reachFor: 3.5,
      },
      {
        name: 'orders/s of 1 to 8 over three types with a shared quota ÷ reservations/s of one ticket',
        ...ratio(three, single, '/s'),
        good: 'above',
        atLeast: 0.6,
        reachFor: 0.85,
      },
      {
        name: 'payments/s of free orders of 1 to 8 ÷ bare Express echo/s',
        ...ratio(measured.payments.perSecond, measured['bare Express'].perSecond, '/s'),
        good: 'above',
        atLeast: 0.6,
        reachFor: 0.9,
      },
      {
        name: 'orders/s over 1,000 events with five quotas each ÷ over one',
        ...ratio(
          measured['four types with quotas, 1,000 events'].perSecond,
          measured['four types with quotas, one event'].perSecond,
          '/s',
        ),
        good: 'above',
        atLeast: 0.7,
        reachFor: 1,
      },
      {
        name: 'orders/s with an Idempotency-Key ÷ without',
        ...ratio(measured['three types, with keys'].perSecond, three, '/s'),
        good: 'above',
        atLeast: 0.6,
        reachFor: 0.8,
      },
      {
        name: 'bytes of write-ahead log per ticket in orders of 1 to 8 ÷ per single ticket',
        value: median(wal.orders) / median(wal.single),
        good: 'below',
        atLeast: 0.5,
        reachFor: 0.4,
      },
      {
        name: '100,000 places in orders due in one second: seconds until all are for sale again',
        value: median(seconds),
        unit: 's',
        good: 'below',
        atLeast: 2,
        reachFor: 1,
      },
    ];
    return {
      figures,
      measurements: measured,
      notes: [
        `Write-ahead log per ticket: ${Math.round(median(wal.single))} bytes one at a time, ` +
          `${Math.round(median(wal.orders))} in orders.`,
      ],
    };
  },
};

async function pay(bench: Bench, { api, database, users }: Site, seconds: number): Promise<LoadResult> {
  const sale = await openSales(database, { kind: 'one', count: 1 });
  const count = Math.ceil(PAYMENTS_PER_SECOND * (seconds + 1));
  const expiresAt = `now() + interval '1 day'`;
  const { orders } = await addOrders(database, { sale, users, count, expiresAt });
  const [{ key } = { key: '' }] = await database.sql<{ key: string }>(
    `SELECT encode(order_code_key, 'hex') AS key FROM installation`,
  );
  return await bench.load.run(
    {
      target: { url: api.url },
      connections: bench.connections,
      requests: { kind: 'pay-order', orders, users, codeKey: key },
    },
    seconds,
  );
}

/** Bytes of write-ahead log for each ticket, pages that follow a checkpoint left out: how many depends on chance. */
async function withWal(
  { database }: Site,
  bytes: number[],
  tickets: number,
  run: () => Promise<LoadResult>,
): Promise<LoadResult> {
  const read = async () => {
    const [row] = await database.sql<{ bytes: number; pages: number }>(
      'SELECT wal_bytes::float8 AS bytes, wal_fpi::float8 AS pages FROM pg_stat_wal',
    );
    return row ?? { bytes: NaN, pages: NaN };
  };
  // Statistics are flushed once a second.
  await sleep(1_100);
  const before = await read();
  const result = await run();
  await sleep(1_100);
  const after = await read();
  const written = after.bytes - before.bytes - (after.pages - before.pages) * PAGE;
  bytes.push(written / ((result.outcomes['201'] ?? NaN) * tickets));
  return result;
}

/** About what is written of a page, which leaves out its free space. */
const PAGE = 8_192;

async function expireAtOnce(bench: Bench, { database, users }: Site): Promise<number> {
  const sale = await openSales(database, { kind: 'one', count: 1 });
  const count = Math.ceil(bench.sized(DUE_PLACES) / MEAN_TICKETS);
  const [{ at } = { at: new Date() }] = await database.sql<{ at: Date }>(
    `SELECT date_trunc('milliseconds', clock_timestamp() + interval '5 seconds') AS at`,
  );
  const expiresAt = `timestamptz '${at.toISOString()}' + (n - 1) * interval '1 second' / ${count}`;
  await addOrders(database, { sale, users, count, expiresAt });
  const isHeld = async () => {
    const [row] = await database.sql<{ held: number }>(
      'SELECT held FROM quotas WHERE event_id = $1 AND kind = $2',
      [sale.events.first, 'event'],
    );
    return (row?.held ?? 0) > 0;
  };
  const [{ ms } = { ms: 0 }] = await database.sql<{ ms: number }>(
    'SELECT extract(epoch FROM $1::timestamptz - clock_timestamp())::float8 * 1000 AS ms',
    [at],
  );
  if (ms < 0) throw new Error('This machine is too slow to write the holds before they are due');
  await sleep(ms);
  const start = performance.now();
  while (await isHeld()) await sleep(POLL_MS);
  return (performance.now() - start) / 1_000;
}
