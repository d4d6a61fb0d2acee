import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, type ServerProcess } from '../../support/server-process';
import { freePort } from '../../support/redis';
import type { Bench, Site } from '../bench';
import { ratio, type Figure } from '../figure';
import { addOrders, openSales, priceOrders } from '../fill/sales';
import type { Database } from '../harness/database';
import { LoadProcess } from '../harness/load';
import type { LoadResult } from '../load/job';
import { interleave } from '../measure';
import type { Part } from '../part';
import { reserve, ROOMY } from '../windows';

const SECRET = 'what-the-benchmark-calls-the-sandbox-with';
const PRICE = 1_250;
/** More than can be paid in a second. */
const PAYMENTS_PER_SECOND = { free: 10_000, priced: 3_000 };
/** Buyers who wait for a provider that does not answer: several for each connection of the pool. */
const WAITING_BUYERS = 64;
const SLOW_MS = 10_000;
const MOST_EVENT_PAYMENTS = 1_000;

/** A site whose money another process takes. */
interface Till extends Site {
  sandbox: ServerProcess;
}

/** What it costs that somebody else takes the money. */
export const till: Part = {
  name: 'till',
  about:
    'orders sold for money and for nothing, events of the sandbox, reservations while it does not answer',
  run: async (bench) => {
    const site = await openTill(bench);
    const selling = await interleave(
      bench.terms,
      {
        'free orders, placed and paid': (seconds) => sell(bench, site, seconds),
        'orders placed, and paid through the sandbox': (seconds) => sell(bench, site, seconds, PRICE),
        'free orders, paid': (seconds) => pay(bench, site, seconds),
        'orders paid through the sandbox': (seconds) => pay(bench, site, seconds, PRICE),
      },
      bench.tell,
    );
    const events = await interleave(
      bench.shortTerms,
      {
        'events that tell what is known': (seconds) => tell(bench, site, 'payment.succeeded', seconds),
        'events that ask the sandbox': (seconds) => tell(bench, site, 'payment.processing', seconds),
      },
      bench.tell,
    );
    const differing = await differences(site.database);
    const reserving = await besideSlowProvider(bench, site);
    const figures: Figure[] = [
      {
        name: 'orders/s placed, and paid through the sandbox, a process of its own ÷ orders/s placed that cost nothing',
        ...ratio(
          selling['orders placed, and paid through the sandbox'].perSecond,
          selling['free orders, placed and paid'].perSecond,
          '/s',
        ),
        good: 'above',
        atLeast: 0.3,
        reachFor: 0.4,
      },
      {
        name: 'the payments alone, of orders that were placed before',
        ...ratio(
          selling['orders paid through the sandbox'].perSecond,
          selling['free orders, paid'].perSecond,
          '/s',
        ),
        good: 'above',
        atLeast: 0.2,
        reachFor: 0.3,
      },
      {
        name: 'events of the sandbox taken in, of payments whose success its answer has told',
        value: events['events that tell what is known'].perSecond,
        unit: 'events/s',
        good: 'above',
        atLeast: 1_000,
        reachFor: 1_500,
      },
      {
        name: `reservations/s while ${WAITING_BUYERS} payments wait for a provider that takes 10 s ÷ without them`,
        ...ratio(reserving.beside.perSecond, reserving.quiet.perSecond, '/s'),
        good: 'above',
        atLeast: 0.9,
      },
      {
        name: 'charges of the sandbox that are no paid order, or the other way around',
        value: differing,
        unit: 'charges',
        good: 'below',
        atLeast: 0,
      },
    ];
    return {
      figures,
      measurements: {
        ...selling,
        ...events,
        'reservations, quiet': reserving.quiet,
        'reservations beside a slow provider': reserving.beside,
      },
    };
  },
};

async function openTill(bench: Bench): Promise<Till> {
  const { database, users } = await bench.copyTemplate();
  const port = await freePort();
  const api = await bench.startApi(database, {
    ...ROOMY,
    NODE_ENV: 'test', // in production there is no sandbox
    SANDBOX_URL: `http://127.0.0.1:${port}/sandbox`,
    SANDBOX_SECRET: SECRET,
  });
  const sandbox = await startServer(
    {
      script: 'scripts/sandbox.js',
      args: ['--events-to', `${api.url}/payments/events/sandbox`],
      environment: { NODE_ENV: 'test', DATABASE_URL: database.url, SANDBOX_SECRET: SECRET },
      port,
    },
    bench.cleanup,
  );
  return { database, users, api, sandbox };
}

/** Sells orders of 1 to 8 tickets, as a buyer does: one places an order, and then pays it. */
async function sell(
  bench: Bench,
  { api, database, users }: Till,
  seconds: number,
  price?: number,
): Promise<LoadResult> {
  const sale = await openSales(database, { kind: 'one', count: 1 });
  if (price !== undefined) await priceOrders(database, sale, price);
  const requests = {
    kind: 'purchase' as const,
    users,
    ...sale,
    ...(price !== undefined && { method: 'ok' }),
  };
  const job = { target: { url: api.url }, connections: bench.connections, requests };
  const result = await bench.load.run(job, seconds);
  await untilTold(database);
  return result;
}

/** Pays orders of 1 to 8 tickets, through the sandbox where they have a price. */
async function pay(
  bench: Bench,
  { api, database, users }: Till,
  seconds: number,
  price?: number,
): Promise<LoadResult> {
  const sale = await openSales(database, { kind: 'one', count: 1 });
  const perSecond = price === undefined ? PAYMENTS_PER_SECOND.free : PAYMENTS_PER_SECOND.priced;
  const count = Math.ceil(perSecond * (seconds + 1));
  const { orders } = await addOrders(database, { sale, users, count, expiresAt: `now() + interval '1 day'` });
  if (price !== undefined) await priceOrders(database, sale, price);
  const [{ key } = { key: '' }] = await database.sql<{ key: string }>(
    `SELECT encode(order_code_key, 'hex') AS key FROM installation`,
  );
  const result = await bench.load.run(
    {
      target: { url: api.url },
      connections: bench.connections,
      requests: {
        kind: 'pay-order',
        orders,
        users,
        codeKey: key,
        ...(price !== undefined && { method: 'ok' }),
      },
    },
    seconds,
  );
  await untilTold(database);
  return result;
}

/** Lets the sandbox tell of all that it did, so that the next measurement is alone. */
async function untilTold(database: Database): Promise<void> {
  for (;;) {
    const [row] = await database.sql<{ count: number }>('SELECT count(*)::int AS count FROM sandbox.events');
    if (row?.count === 0) return;
    await sleep(50);
  }
}

/** Events of payments that are there, each new: the API verifies it, and asks the sandbox where there may be news. */
async function tell(
  bench: Bench,
  { api, database }: Till,
  type: string,
  seconds: number,
): Promise<LoadResult> {
  const rows = await database.sql<{ id: string }>(
    'SELECT id FROM sandbox.payments ORDER BY number DESC LIMIT $1',
    [MOST_EVENT_PAYMENTS],
  );
  const payments = rows.map(({ id }) => id);
  return await bench.load.run(
    {
      target: { url: api.url },
      connections: bench.connections,
      requests: { kind: 'event', payments, type, secret: SECRET },
    },
    seconds,
  );
}

/** Charges without a paid order of that amount, and paid orders without a charge. */
async function differences(database: Database): Promise<number> {
  const [row] = await database.sql<{ count: number }>(
    `SELECT count(*)::int AS count FROM sandbox.payments AS charge
     FULL JOIN (
       SELECT payments.id, total FROM payments JOIN orders ON orders.id = order_id AND orders.status = 'paid'
       WHERE provider = 'sandbox' AND payments.status = 'succeeded'
     ) AS ours ON ours.id = (charge.metadata ->> 'payment_id')::bigint
     WHERE ours.total IS DISTINCT FROM charge.taken`,
  );
  return row?.count ?? NaN;
}

/** Reservations of another event: no connection of the pool may be held while the provider is waited for. */
async function besideSlowProvider(bench: Bench, site: Till) {
  const { api, database, users, sandbox } = site;
  const setDelay = async (delay_ms: number) => {
    const headers = { Authorization: `Bearer ${SECRET}`, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ delay_ms });
    await fetch(`${sandbox.url}/sandbox/switches`, { method: 'POST', headers, body });
  };
  const buyers = LoadProcess.start(bench.cleanup);
  const [{ key } = { key: '' }] = await database.sql<{ key: string }>(
    `SELECT encode(order_code_key, 'hex') AS key FROM installation`,
  );
  const waiting = async (seconds: number) => {
    const sale = await openSales(database, { kind: 'one', count: 1 });
    const expiresAt = `now() + interval '1 day'`;
    const count = WAITING_BUYERS * (seconds + 5);
    const { orders } = await addOrders(database, { sale, users, count, expiresAt });
    await priceOrders(database, sale, PRICE);
    await setDelay(SLOW_MS);
    return buyers.start({
      target: { url: api.url },
      connections: WAITING_BUYERS,
      requests: {
        kind: 'pay-order',
        orders,
        users,
        codeKey: key,
        method: 'ok',
        expected: ['503 payment_provider_unavailable', '503 service_unavailable'],
      },
    });
  };
  const measured = await interleave(
    bench.terms,
    {
      quiet: (seconds) => reserve(bench, site, { seconds }),
      beside: async (seconds) => {
        const load = await waiting(seconds);
        await sleep(500);
        const result = await reserve(bench, site, { seconds });
        const { outcomes } = await load.stop();
        await setDelay(0);
        const answered = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
        bench.say(`  payments meanwhile: ${answered.join(', ')}`);
        return result;
      },
    },
    bench.tell,
  );
  return measured;
}
