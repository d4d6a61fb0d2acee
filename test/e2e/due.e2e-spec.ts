import { Client } from 'pg';
import { Statements, type Statement } from '../../src/database/statements';
import { InventoryRepository } from '../../src/inventory/inventory.repository';
import { InventoryService } from '../../src/inventory/inventory.service';
import { PLACE_HOLDS } from '../../src/inventory/place-holds.statement';
import {
  RELEASE_DUE_HOLDS,
  RELEASE_DUE_HOLDS_OF_EVENTS,
} from '../../src/inventory/release-due-holds.statements';
import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { makeOrders } from '../support/fill';
import { readsOf } from '../support/plan';
import { INVENTORY_MISMATCHES } from '../support/seats';

/** Nothing listens on it; an API that is told to leave expiration to workers releases nothing by itself. */
const DEAD_REDIS = 'redis://127.0.0.1:1';

let database: TestDatabase;
let api: TestApi;
let user: { id: number };

beforeAll(async () => {
  database = await createDatabase();
  api = await startTestApi({ DATABASE_URL: database.url, REDIS_URL: DEAD_REDIS });
  user = await api.create.user();
});
afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
afterAll(async () => {
  await api.stop();
  await database.drop();
});

const release = () => api.app.get(InventoryService).releaseDueHolds('sweeper');
const reserve = (eventId: number) => api.client.post('/tickets/', { user_id: user.id, event_id: eventId });

/** An event that is sold out by holds that are due, each so much longer than the one before. */
async function heldEvent(holds: number, apartMs = 0): Promise<number> {
  const { id } = await api.create.event({ total_tickets: holds });
  await api.sql('UPDATE quotas SET held = $2 WHERE event_id = $1', [id, holds]);
  // Not by the API, whose statements may take two seconds.
  await database.sql(
    makeOrders(`SELECT $1::bigint, $2::bigint, 'held', now() - interval '2 minutes', now() - n * $4::int * interval '1 ms',
      NULL::timestamptz FROM generate_series(1, $3::int) AS n`),
    [user.id, id, holds, apartMs],
  );
  return id;
}

describe('while somebody keeps a snapshot open, such as a dump', () => {
  const ENDED = 20_000;
  let snapshot: { commit(): Promise<void> };
  let eventId: number;
  /** The values of the statements that ended them all in one call. */
  let walk: unknown[][];
  let mostAtOnce: number;
  /** By the next call, when the first was no longer locked. */
  let endedLater: number;

  beforeAll(async () => {
    snapshot = await database.begin('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT');
    eventId = await heldEvent(ENDED, 1);
    const locker = await database.begin(
      'SELECT FROM orders WHERE event_id = $1 ORDER BY expires_at LIMIT 1 FOR UPDATE',
      [eventId],
    );
    walk = await allValues(RELEASE_DUE_HOLDS, async () => {
      mostAtOnce = await mostReleasesAtOnce(async () => expect(await release()).toBe(ENDED - 1));
    });
    await locker.commit();
    endedLater = await release();
    // The margin of the look is over.
    await database.sql('SELECT pg_sleep(2.1)');
    expect(await release()).toBe(0);
  });
  afterAll(() => snapshot.commit());

  /** How many statements that release due holds ran at the same time. */
  async function mostReleasesAtOnce(act: () => Promise<unknown>): Promise<number> {
    const { releaseDueHolds } = InventoryRepository.prototype;
    let [running, most] = [0, 0];
    const spy = jest.spyOn(InventoryRepository.prototype, 'releaseDueHolds');
    spy.mockImplementation(async function (this: InventoryRepository, ...values) {
      most = Math.max(most, ++running);
      return await releaseDueHolds.apply(this, values).finally(() => running--);
    });
    await act();
    spy.mockRestore();
    return most;
  }

  /** The values with which the API runs a statement. */
  async function allValues({ text }: Statement, act: () => Promise<unknown>): Promise<unknown[][]> {
    const run = jest.spyOn(Statements.prototype, 'run');
    await act();
    const values = run.mock.calls.flatMap(([statement, values]) => (statement.text === text ? [values] : []));
    run.mockRestore();
    return values;
  }

  /** Entries of indexes that PostgreSQL reads for it. */
  async function rowsReadBy({ text }: Statement, values: unknown[]): Promise<number> {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query('SET enable_seqscan = off');
    const { rows } = await readsOf(client, text, values);
    await client.end();
    return rows;
  }

  const nextValues = async (statement: Statement, act: () => Promise<unknown>): Promise<unknown[]> =>
    (await allValues(statement, act))[0] ?? [];

  /** Pages that PostgreSQL reads for it. */
  async function pagesReadBy({ text }: Statement, values: unknown[]): Promise<number> {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query('BEGIN; SET enable_seqscan = off');
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
      values,
    );
    await client.query('ROLLBACK');
    await client.end();
    const plan = rows[0]?.['QUERY PLAN'][0].Plan ?? {};
    return (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);
  }

  it('a look for due holds walks nothing that has ended', async () => {
    const values = await nextValues(RELEASE_DUE_HOLDS, release);
    expect(await pagesReadBy(RELEASE_DUE_HOLDS, values)).toBeLessThan(50);
    // What it would walk from the beginning: the entry of every hold that ended, and the row behind it.
    const everything = [values[0], '-infinity', ...values.slice(2)];
    expect(await pagesReadBy(RELEASE_DUE_HOLDS, everything)).toBeGreaterThan(ENDED / 100);
  });

  it('very many are ended by two statements side by side', () => {
    expect(mostAtOnce).toBe(2);
  });

  it('no statement of a call that ends very many walks what those before it have ended', async () => {
    // Of the two side by side, one finds nothing left.
    expect(walk).toHaveLength(ENDED / 2_000 + 1);
    const [first = [], last = []] = [walk[0], walk.at(-1)];
    const everything = await pagesReadBy(RELEASE_DUE_HOLDS, first);
    expect(everything).toBeGreaterThan(ENDED / 100);
    expect(await pagesReadBy(RELEASE_DUE_HOLDS, last)).toBeLessThan(everything / 4);
  });

  it('the next call ends what was locked by somebody', () => {
    expect(endedLater).toBe(1);
  });

  it('neither does a reservation of an event that is sold out', async () => {
    await api.sql('UPDATE quotas SET capacity = 0 WHERE event_id = $1', [eventId]);
    expect((await reserve(eventId)).status).toBe(409);
    const values = await nextValues(PLACE_HOLDS, () => reserve(eventId));
    expect(await rowsReadBy(PLACE_HOLDS, values)).toBeLessThan(50);
    const everything = [...values.slice(0, 17), [null], ...values.slice(18)];
    expect(await rowsReadBy(PLACE_HOLDS, everything)).toBeGreaterThan(ENDED / 2);
  });

  it('neither does a look for those of an event that is sold out by a hold that is due', async () => {
    await api.sql('UPDATE quotas SET capacity = 1, held = 1 WHERE event_id = $1', [eventId]);
    await api.sql(
      makeOrders(
        `SELECT $1::bigint, $2::bigint, 'held', now() - interval '2 minutes', now(), NULL::timestamptz`,
      ),
      [user.id, eventId],
    );
    const values = await nextValues(RELEASE_DUE_HOLDS_OF_EVENTS, async () =>
      expect((await reserve(eventId)).status).toBe(201),
    );
    expect(await pagesReadBy(RELEASE_DUE_HOLDS_OF_EVENTS, values)).toBeLessThan(50);
    const everything = [values[0], values[1], ['-infinity'], ...values.slice(3)];
    expect(await pagesReadBy(RELEASE_DUE_HOLDS_OF_EVENTS, everything)).toBeGreaterThan(ENDED / 100);
  });

  it('what falls due later is found', async () => {
    await heldEvent(3);
    expect(await release()).toBe(3);
  });
});

it('a reservation of an event that is sold out takes one statement where no hold is due, and a release where one is', async () => {
  const { id } = await api.create.event({ total_tickets: 1 });
  const statementsOf = async (act: () => Promise<unknown>) => {
    const run = jest.spyOn(Statements.prototype, 'run');
    await act();
    const texts = run.mock.calls.map(([{ text }]) => text);
    run.mockRestore();
    return texts;
  };
  await reserve(id);
  const refused = async () => expect((await reserve(id)).status).toBe(409);
  expect(await statementsOf(refused)).toEqual([PLACE_HOLDS.text]);
  await api.sql('UPDATE orders SET expires_at = now() WHERE event_id = $1', [id]);
  const granted = async () => expect((await reserve(id)).status).toBe(201);
  expect(await statementsOf(granted)).toEqual([
    PLACE_HOLDS.text,
    RELEASE_DUE_HOLDS_OF_EVENTS.text,
    PLACE_HOLDS.text,
  ]);
});

describe('where each hold takes PostgreSQL long to end', () => {
  beforeAll(async () => {
    // 2,000 take four seconds: over the time limit of a statement.
    await api.sql(`
      CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END $$`);
    await api.sql(`
      CREATE TRIGGER dawdle BEFORE UPDATE ON orders FOR EACH ROW
      WHEN (NEW.status = 'expired') EXECUTE FUNCTION dawdle()`);
  });
  afterAll(() => api.sql('DROP FUNCTION dawdle CASCADE'));

  const sizes = async (act: () => Promise<unknown>) => {
    const run = jest.spyOn(Statements.prototype, 'run');
    await act();
    const sizes = run.mock.calls.flatMap(([{ text }, values]) =>
      text === RELEASE_DUE_HOLDS.text ? [values[0]] : [],
    );
    run.mockRestore();
    return sizes as number[];
  };

  it('ends fewer at once, and more again once it is quick', async () => {
    await heldEvent(2_100);
    const slow = await sizes(async () => expect(await release()).toBe(2_100));
    expect(slow[0]).toBe(2_000);
    expect(Math.min(...slow)).toBeLessThan(2_000);

    await api.sql('ALTER TABLE orders DISABLE TRIGGER dawdle');
    await heldEvent(4_100);
    const quick = await sizes(async () => expect(await release()).toBe(4_100));
    expect(Math.max(...quick)).toBe(2_000);
  });
});
