import { setTimeout as sleep } from 'node:timers/promises';
import {
  PLACE_ORDERS_GUARDS,
  placeOrdersFunction,
} from '../../src/inventory/place-orders/place-orders.function';
import { startTestApi, type TestApi } from '../support/api';
import type { Answer } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { expectProblem } from '../support/problems';
import { createCallers, salesBy, type Callers } from '../support/sales';
import { INVENTORY_MISMATCHES } from '../support/seats';

describe('quotas that change while places are sold', () => {
  let database: TestDatabase;
  let api: TestApi;
  let callers: Callers;
  const {
    newEvent,
    newType,
    changeType,
    removeType,
    newQuota,
    changeQuota,
    quotasOf,
    postCode,
    changeCode,
    removeCode,
    reserve,
  } = salesBy(
    () => api,
    () => callers,
  );

  beforeAll(async () => {
    database = await createDatabase();
    api = await startTestApi({
      DATABASE_URL: database.url,
      MAX_HOLDS_PER_USER_EVENT: '0',
      MAX_EVENTS_PER_USER_HOUR: '0',
    });
    callers = await createCallers(api);
  });
  afterEach(async () => expect(await database.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  const tally = (answers: Answer[]) => {
    const outcomes: Record<string, number> = {};
    for (const { status, body } of answers) {
      const outcome = [status, body.code].filter(Boolean).join(' ');
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
    return outcomes;
  };

  it('shrink to no less than was taken while the change waited', async () => {
    const event = await newEvent();
    const type = await newType(event, { capacity: 3 });
    const sale = await database.begin('SELECT FROM quotas WHERE event_id = $1 FOR UPDATE', [event.id]);
    const [reserved, changed] = [reserve(event, type), changeQuota({ id: type.quota_id }, { capacity: 0 })];
    await database.untilBlocked();
    await sale.commit();
    const answers = [await reserved, await changed];
    // Whichever came first, the other saw what it left.
    expect([
      { '201': 1, '409 capacity_in_use': 1 },
      { '200': 1, '409 ticket_type_sold_out': 1 },
    ]).toContainEqual(tally(answers));
  });

  it.each(['quota_not_found', 'ticket_type_not_found', 'code_not_found'])(
    'are %s where their event is deleted while changes wait',
    async (code) => {
      const event = await newEvent();
      const type = await newType(event, { capacity: 3 });
      const quota = { id: type.quota_id };
      const discount = (await postCode(event, { percent_off: 10, max_uses: 5 })).body;
      const deletion = await database.begin(
        `WITH types AS (DELETE FROM ticket_types WHERE event_id = $1), discounts AS (DELETE FROM codes WHERE event_id = $1),
          counters AS (DELETE FROM quotas WHERE event_id = $1)
        DELETE FROM events WHERE id = $1`,
        [event.id],
      );
      const changes = {
        quota_not_found: () => [changeQuota(quota, { capacity: 4 }), changeQuota(quota, { name: 'Gallery' })],
        ticket_type_not_found: () => [
          changeType(type, { capacity: 4 }),
          changeType(type, { price: 0 }),
          removeType(type),
        ],
        code_not_found: () => [changeCode(discount, { max_uses: 6 }), removeCode(discount)],
      }[code as 'quota_not_found']();
      await untilWaiting(changes.length).finally(() => deletion.commit());
      expect(tally(await Promise.all(changes))).toEqual({ [`404 ${code}`]: changes.length });
    },
  );

  it('shrink under a rush to the last place that is left', async () => {
    const event = await newEvent({ total_tickets: 100 });
    const quota = await newQuota(event, 50);
    const types = [
      await newType(event, { quota_id: quota.id }),
      await newType(event, { quota_id: quota.id }),
    ];
    const rush = Array.from({ length: 60 }, async (_, i) => {
      await sleep(i);
      return await reserve(event, types[i % 2] as { id: number });
    });
    const shrinking = Array.from({ length: 10 }, async (_, i) => {
      await sleep(4 * i);
      return await changeQuota(quota, { capacity: 30 - i });
    });
    const [sold, changes] = [tally(await Promise.all(rush)), await Promise.all(shrinking)];
    const [after] = await quotasOf(event);
    expect(after.held).toBe(sold['201']);
    expect(after.held).toBeLessThanOrEqual(after.capacity);
    for (const { status, body } of changes) {
      if (status === 200) expect(body.held + body.sold).toBeLessThanOrEqual(body.capacity);
      else expect(body.code).toBe('capacity_in_use');
    }
  });

  /** One place of a new quota, for two who asked for the type while it had none. */
  async function sellWhileChanging() {
    const event = await newEvent();
    const type = await newType(event);
    const sale = await database.begin('SELECT FROM quotas WHERE event_id = $1 FOR UPDATE', [event.id]);
    const changed = changeType(type, { capacity: 1 });
    await untilWaiting(1);
    const reserved = [reserve(event, type), reserve(event, type)];
    await untilWaiting(2);
    await sale.commit();
    return { changed: await changed, reserved: tally(await Promise.all(reserved)) };
  }

  const untilWaiting = (number: number) =>
    eventually(async () => {
      const rows = await database.sql(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(rows).toHaveLength(number);
    });

  it('let nobody have a ticket past a quota that its type got while the order waited', async () => {
    for (let round = 0; round < 5; round++) {
      const { changed, reserved } = await sellWhileChanging();
      expect(changed.status).toBe(200);
      expect(reserved).toEqual({ '201': 1, '409 ticket_type_sold_out': 1 });
    }
  });

  it('and would let them, if the order did not look whether the quotas are still those', async () => {
    await database.sql(placeOrdersFunction({ isOutdated: 'false' }));
    try {
      await eventually(async () => {
        const { reserved } = await sellWhileChanging();
        expect(reserved).toEqual({ '201': 2 });
      });
      expect(await database.sql(INVENTORY_MISMATCHES)).not.toEqual([]);
    } finally {
      await database.sql(placeOrdersFunction());
      await database.sql('TRUNCATE orders, tickets, quotas, codes, ticket_types');
    }
  });

  describe('between two looks of an order', () => {
    beforeAll(async () => {
      await database.sql(`CREATE FUNCTION late_version(quota bigint) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
          PERFORM pg_sleep(0.5);
          RETURN (SELECT version FROM quotas WHERE id = quota);
        END $$`);
    });
    afterAll(async () => {
      await database.sql(placeOrdersFunction());
      await database.sql('TRUNCATE orders, tickets, quotas, codes, ticket_types');
    });

    /** Who asks for a type that gets a quota without a place after the order has read which quotas it has. */
    async function reserveWhileChanging(version: string): Promise<Answer> {
      await database.sql(placeOrdersFunction({ version }));
      const event = await newEvent();
      const type = await newType(event);
      const reserved = reserve(event, type);
      await eventually(async () => {
        const asleep = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`;
        expect(await database.sql(asleep)).toHaveLength(1);
      });
      expect((await changeType(type, { capacity: 0 })).status).toBe(200);
      return await reserved;
    }

    it('let nobody past a quota that their type gets', async () => {
      const version = `CASE WHEN late_version(needed.quota_id) IS NOT NULL THEN ${PLACE_ORDERS_GUARDS.version} END`;
      const { status, body } = await reserveWhileChanging(version);
      expect([status, body.code]).toEqual([409, 'ticket_type_sold_out']);
    });

    it('would let them, if the version were read after the type', async () => {
      const { status } = await reserveWhileChanging('late_version(needed.quota_id)');
      expect(status).toBe(201);
      expect(await database.sql(INVENTORY_MISMATCHES)).not.toEqual([]);
      await database.sql('TRUNCATE orders, tickets, quotas, codes, ticket_types');
    });
  });

  it('change or sell, whatever comes first, to types that many ask for', async () => {
    const seen = new Set<string>();
    for (let round = 0; round < 12; round++) {
      const event = await newEvent();
      const type = await newType(event);
      const quota = await newQuota(event, 2);
      const [changed, ...answers] = await Promise.all([
        sleep((round % 3) * 20).then(() =>
          changeType(type, round % 2 ? { capacity: 2 } : { quota_id: quota.id }),
        ),
        // In every third round the change has a start.
        ...Array.from({ length: 4 }, () => sleep(round % 3 ? 0 : 15).then(() => reserve(event, type))),
      ]);
      seen.add(String(changed.status));
      const sold = tally(answers);
      if (changed.status === 200) expect(sold).toEqual({ '201': 2, '409 ticket_type_sold_out': 2 });
      else expect([changed.body.code, sold]).toEqual(['ticket_type_has_tickets', { '201': 4 }]);
    }
    expect([...seen].sort()).toEqual(['200', '409']);
  });

  it('lose no order to a quota that its type gives up while the order waits', async () => {
    const event = await newEvent();
    const type = await newType(event, { capacity: 5 });
    const sale = await database.begin('SELECT FROM quotas WHERE event_id = $1 FOR UPDATE', [event.id]);
    const changed = changeType(type, { capacity: null });
    await untilWaiting(1);
    const waiting = [reserve(event, type), reserve(event, type)];
    await untilWaiting(2);
    await sale.commit();
    expect((await changed).status).toBe(200);
    expect(tally(await Promise.all(waiting))).toEqual({ '201': 2 });
    expect(await quotasOf(event)).toEqual([]);
  });

  it('are not found by who changes one that its type gives up meanwhile', async () => {
    const type = await newType(await newEvent(), { capacity: 5 });
    const change = await database.begin('DELETE FROM quotas WHERE id = $1', [type.quota_id]);
    await database.sql('UPDATE ticket_types SET quota_ids = quota_ids[1:1] WHERE id = $1', [type.id]);
    const changed = changeQuota({ id: type.quota_id }, { capacity: 6 });
    await untilWaiting(1);
    await change.commit();
    expectProblem(await changed, 404, 'quota_not_found');
  });

  it('change to no quota or sell, whatever comes first, to types that many ask for', async () => {
    for (let round = 0; round < 12; round++) {
      const event = await newEvent();
      const type = await newType(event, { capacity: 3 });
      const [changed, ...answers] = await Promise.all([
        sleep((round % 3) * 20).then(() => changeType(type, { capacity: null })),
        ...Array.from({ length: 4 }, () => sleep(round % 3 ? 0 : 15).then(() => reserve(event, type))),
      ]);
      const sold = tally(answers);
      if (changed.status === 200) expect(sold).toEqual({ '201': 4 });
      else expect(sold).toEqual({ '201': 3, '409 ticket_type_sold_out': 1 });
      expect(await database.sql(INVENTORY_MISMATCHES)).toEqual([]);
    }
  });
});
