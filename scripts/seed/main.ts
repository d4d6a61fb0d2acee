import type { QueryRunner } from 'typeorm';
import { readSettings } from '../../src/config/settings';
import { openDatabase } from '../../src/database/open-database';
import { withProgress } from '../progress';
import { endSignal, readArguments, runScript, say, ScriptError } from '../run-script';
import { SeedData } from './data';
import { SeedBoxOffice } from './box-office';
import { SeedOrders } from './orders';
import * as statements from './statements';

const HELP = `Usage: tixxety seed [options], or npm run seed -- [options]

Fills the database of DATABASE_URL, or else the embedded one, with believable people, events, ticket types, codes and
orders: with all of them or, when it is stopped or fails, with none.

Options:
  --users N    how many people (default 1000)
  --events N   how many events (default 1000), from two months ago to ten months ahead
  --tickets N  how many tickets (default 0), in orders of one to four: most are paid, some expired or cancelled, a few
               held for now
  --seed N     which of all possible worlds (default 1); the same one on the same day is the same data
  --force      also in production, and also where there are users or events already, to which it adds
  -h, --help   show this help
`;

const MOST = { users: 10_000_000, events: 10_000_000, tickets: 100_000_000, seed: 2_000_000_000 };
const CHUNK = 5_000;

type Size = Record<'users' | 'events' | 'tickets', number>;

runScript(async () => {
  const { values } = readArguments({
    users: { type: 'string', default: '1000' },
    events: { type: 'string', default: '1000' },
    tickets: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    force: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (values.help) {
    say(HELP);
    return;
  }
  const [users, events, tickets, seed] = (['users', 'events', 'tickets', 'seed'] as const).map((name) =>
    wholeNumber(name, values[name]),
  ) as [number, number, number, number];
  if (tickets > 0 && (users === 0 || events === 0)) {
    throw new ScriptError('--tickets needs --users and --events above 0.');
  }
  await seedDatabase({ users, events, tickets }, seed, values.force);
});

function wholeNumber(name: keyof typeof MOST, text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) <= MOST[name]) return Number(text);
  throw new ScriptError(`--${name} must be a whole number from 0 to ${MOST[name]}.`);
}

async function seedDatabase(size: Size, seed: number, force: boolean): Promise<void> {
  const settings = readSettings();
  if (settings.NODE_ENV === 'production' && !force) {
    throw new ScriptError(
      'NODE_ENV is production, where invented data has no place; --force puts it there anyway.',
    );
  }
  const stopping = new AbortController();
  void endSignal().then(() => stopping.abort(new ScriptError('Stopped: nothing was written.')));
  const begun = Date.now();
  const database = await openDatabase({ settings, migrate: false, say }, 'tool');
  const runner = database.createQueryRunner();
  try {
    await runner.startTransaction();
    if (!force) await requireEmpty(runner);
    await fill(runner, size, seed, settings.HOLD_SECONDS, stopping.signal);
    await runner.commitTransaction();
    // Until then the planner knows nothing of the new rows.
    await runner.query('ANALYZE users, events, quotas, ticket_types, codes, orders, tickets, payments');
  } catch (error) {
    await runner.rollbackTransaction();
    throw error;
  } finally {
    await runner.release();
    await database.destroy();
  }
  say(`Done in ${((Date.now() - begun) / 1_000).toFixed(1)} s.`);
}

/** But for the admin that the API makes when it starts. */
async function requireEmpty(runner: QueryRunner): Promise<void> {
  const [{ filled }] = (await runner.query(
    `SELECT EXISTS (SELECT FROM users WHERE role <> 'admin') OR EXISTS (SELECT FROM events) AS filled`,
  )) as [{ filled: boolean }];
  if (filled) {
    throw new ScriptError('The database has users or events already; --force adds to them.');
  }
}

/** Seeded users are numbered from behind those that are there, so that no two e-mails are the same. */
async function lastUser(runner: QueryRunner): Promise<number> {
  const [{ last }] = (await runner.query('SELECT coalesce(max(id), 0) AS last FROM users')) as [
    { last: number },
  ];
  return last;
}

/** Fills the database, in chunks that keep memory flat however many rows there are to be. */
async function fill(
  runner: QueryRunner,
  size: Size,
  seed: number,
  holdSeconds: number,
  stopped: AbortSignal,
): Promise<void> {
  const today = new Date(new Date().setUTCHours(0, 0, 0, 0));
  const data = new SeedData(seed, today);

  const userIds: number[] = [];
  let number = await lastUser(runner);
  await withProgress('Users', size.users, async (add) => {
    for (const count of chunksOf(size.users)) {
      const users = (await statements.takeIds(runner, 'users', count)).map((id) => data.user(id, ++number));
      await statements.insertUsers(runner, users);
      for (const { id } of users) userIds.push(id);
      add(count);
      stopped.throwIfAborted();
    }
  });

  const boxOffice = new SeedBoxOffice(seed);
  const orders = new SeedOrders(seed, size.tickets, size.events, userIds, holdSeconds, today);
  const label = size.tickets > 0 ? 'Events and tickets' : 'Events';
  await withProgress(label, size.events + size.tickets, async (add) => {
    for (const count of chunksOf(size.events)) {
      const ids = await statements.takeIds(runner, 'events', count);
      const sales = ids.map((id) => boxOffice.sale(data.event(id)));
      const quotas = sales.flatMap((sale) => sale.quotas);
      const types = sales.flatMap((sale) => sale.types);
      const codes = sales.flatMap((sale) => sale.codes);
      await giveIds(runner, 'quotas', quotas);
      await giveIds(runner, 'ticket_types', types);
      await giveIds(runner, 'codes', codes);
      await statements.insertEvents(runner, sales);
      await statements.insertTypes(runner, types);
      await statements.insertCodes(runner, codes);
      for (const some of batches(orders.of(sales))) {
        await giveIds(runner, 'orders', some);
        await statements.insertOrders(runner, some);
        add(some.reduce((sum, order) => sum + order.tickets.length, 0));
        stopped.throwIfAborted();
      }
      // Only now are the places of these events counted.
      await statements.insertQuotas(runner, quotas);
      add(count);
      stopped.throwIfAborted();
    }
  });
  if (orders.made < size.tickets) say(`There are places for ${orders.made} tickets only.`);
}

async function giveIds(runner: QueryRunner, table: string, rows: { id: number }[]): Promise<void> {
  const ids = await statements.takeIds(runner, table, rows.length);
  for (const [i, row] of rows.entries()) row.id = ids[i] as number;
}

/** The sizes of the chunks that make up `total`. */
function* chunksOf(total: number): Generator<number> {
  for (let left = total; left > 0; left -= CHUNK) yield Math.min(left, CHUNK);
}

function* batches<Row>(rows: Iterable<Row>): Generator<Row[]> {
  let batch: Row[] = [];
  for (const row of rows) {
    if (batch.push(row) < CHUNK) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
