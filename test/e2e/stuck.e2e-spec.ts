import { setTimeout as sleep } from 'node:timers/promises';
import { InventoryRepository } from '../../src/inventory/inventory.repository';
import { StuckRows } from '../../src/inventory/stuck-rows';
import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { makeOrders } from '../support/fill';
import { expectProblem } from '../support/problems';
import { INVENTORY_MISMATCHES } from '../support/seats';

const ROUND_MS = 1_000;
const ROUNDS = 2;
/** As long as every statement waited before there were lanes. */
const LONG_PATIENCE_MS = 2_000;

/** A row that stays locked, such as by a person at a console, stops only the requests that need it. */
describe('a row that stays locked', () => {
  let database: TestDatabase;
  let api: TestApi;
  let user: { id: number };
  let others: { id: number }[];
  let wanted: { id: number };

  beforeAll(async () => {
    database = await createDatabase();
    api = await startTestApi({ DATABASE_URL: database.url, MAX_HOLDS_PER_USER_EVENT: '0' });
    user = await api.create.user();
    others = await Promise.all(
      Array.from({ length: 10 }, () => api.create.event({ total_tickets: 1_000_000 })),
    );
  });
  beforeEach(async () => {
    wanted = await api.create.event({ total_tickets: 1_000 });
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  const reserve = ({ id }: { id: number }) =>
    api.client.post('/tickets/', { user_id: user.id, event_id: id });
  const resolve = (id: number, verb: 'pay' | 'cancel') => api.client.post(`/tickets/${id}/${verb}`);
  const lockCounters = () => database.begin('SELECT FROM quotas WHERE event_id = $1 FOR UPDATE', [wanted.id]);
  const lockTicket = (id: number) =>
    database.begin('SELECT FROM orders WHERE id = (SELECT order_id FROM tickets WHERE id = $1) FOR UPDATE', [
      id,
    ]);

  /** How many succeed of what eight customers do, one after the other, until the round is over. */
  async function countOf(act: (i: number) => Promise<boolean>): Promise<number> {
    const end = performance.now() + ROUND_MS;
    let count = 0;
    const customer = async (i: number) => {
      while (performance.now() < end) if (await act(i++)) count++;
    };
    await Promise.all(Array.from({ length: 8 }, (_, i) => customer(i)));
    return count;
  }

  /** The work done beside a lock and a client that wants the locked row, as a share of the work done without. */
  async function shareOf(
    act: (i: number) => Promise<boolean>,
    lock: () => Promise<{ commit(): Promise<void> }>,
    want: () => Promise<unknown>,
  ): Promise<number> {
    let [quiet, disturbed] = [0, 0];
    await countOf(act);
    for (let round = 0; round < ROUNDS; round++) {
      quiet += await countOf(act);
      const locked = await lock();
      const over = new AbortController();
      const wanting = (async () => {
        while (!over.signal.aborted) await want();
      })();
      await sleep(500);
      disturbed += await countOf(act);
      over.abort();
      await locked.commit();
      await wanting;
    }
    return disturbed / quiet;
  }

  const reserveOther = async (i: number) =>
    (await reserve(others[i % others.length] as { id: number })).status === 201;
  const payOther = async (i: number) => {
    const { body } = await reserve(others[i % others.length] as { id: number });
    return (await resolve(body.id, 'pay')).status === 200;
  };

  describe('of counters', () => {
    it('leaves reservations of other events as they were', async () => {
      expect(await shareOf(reserveOther, lockCounters, () => reserve(wanted))).toBeGreaterThan(0.5);
    });

    it('leaves payments for other events as they were', async () => {
      const tickets = await Promise.all(Array.from({ length: 40 }, () => reserve(wanted)));
      const pay = () => resolve(tickets.pop()?.body.id ?? 0, 'pay');
      expect(await shareOf(payOther, lockCounters, pay)).toBeGreaterThan(0.5);
    });

    it('would stop them all if every batch waited for it', async () => {
      const repository = api.app.get(InventoryRepository);
      const { placeHolds } = InventoryRepository.prototype;
      repository.placeHolds = (requests, seconds, limit, coolDown, networkLimit) =>
        placeHolds.call(repository, requests, seconds, limit, coolDown, networkLimit, LONG_PATIENCE_MS);
      const share = await shareOf(reserveOther, lockCounters, () => reserve(wanted));
      Reflect.deleteProperty(repository, 'placeHolds');
      expect(share).toBeLessThan(0.4);
    });

    it('is told to those who need it, and forgotten once it is free', async () => {
      const ticket = (await reserve(wanted)).body;
      const lock = await lockCounters();
      const [reserved, paid] = await Promise.all([reserve(wanted), resolve(ticket.id, 'pay')]);
      for (const answer of [reserved, paid]) {
        expectProblem(answer, 503, 'service_unavailable');
        expect(answer.headers.get('retry-after')).toBe('1');
      }
      await lock.commit();
      // On a slow machine the first payment may have gone through after it was answered.
      await resolve(ticket.id, 'pay');
      expect(await statusOf(ticket.id)).toBe('paid');
      expect((await reserve(wanted)).status).toBe(201);
    });

    it('is waited for where it is free soon', async () => {
      const lock = await lockCounters();
      const answers = Promise.all([reserve(wanted), reserve(wanted)]);
      await sleep(600);
      await lock.commit();
      expect((await answers).map(({ status }) => status)).toEqual([201, 201]);
    });

    it('is worked around once, whatever becomes of the look after it', async () => {
      const tickets = [(await reserve(wanted)).body, (await reserve(wanted)).body];
      const lock = await lockCounters();
      const answers = Promise.all([
        ...tickets.map(({ id }) => resolve(id, 'pay')),
        ...Array.from({ length: 2 }, () => reserve(wanted)),
      ]);
      await sleep(600);
      const look = jest.spyOn(api.app.get(StuckRows), 'lookAtEvents').mockRejectedValue(new Error('no look'));
      await lock.commit();
      expect((await answers).map(({ status }) => status)).toEqual([200, 200, 201, 201]);
      expect(look).toHaveBeenCalled();
      look.mockRestore();
      const counts = await api.sql('SELECT held, sold FROM quotas WHERE event_id = $1', [wanted.id]);
      expect(counts).toEqual([{ held: 2, sold: 2 }]);
    });

    it('lets the holds of other events end, and its own once it is free', async () => {
      const [ours, theirs] = await Promise.all([reserve(wanted), reserve(others[0] as { id: number })]);
      // More than one statement ends, and due before those of the other event.
      await api.sql('UPDATE quotas SET capacity = 10000, held = held + 2500 WHERE event_id = $1', [
        wanted.id,
      ]);
      await api.sql(
        makeOrders(`SELECT $1::bigint, $2::bigint, 'held', now() - interval '1 minute', now() + interval '1 hour',
            NULL::timestamptz
          FROM generate_series(1, 2500)`),
        [user.id, wanted.id],
      );
      const lock = await lockCounters();
      await fallDue('event_id = $1', wanted.id);
      await fallDue('id = (SELECT order_id FROM tickets WHERE id = $1)', theirs.body.id);
      await eventually(async () => expect(await statusOf(theirs.body.id)).toBe('expired'), 5_000);
      expect(await statusOf(ours.body.id)).toBe('reserved');
      await lock.commit();
      await eventually(async () => expect(await statusOf(ours.body.id)).toBe('expired'));
      await eventually(async () =>
        expect(await api.sql('SELECT held FROM quotas WHERE event_id = $1', [wanted.id])).toEqual([
          { held: 0 },
        ]),
      );
    });
  });

  describe('of a ticket', () => {
    it('leaves payments for other tickets as they were', async () => {
      const { id } = (await reserve(wanted)).body;
      expect(
        await shareOf(
          payOther,
          () => lockTicket(id),
          () => resolve(id, 'cancel'),
        ),
      ).toBeGreaterThan(0.5);
    });

    it('would stop them all if every batch waited for it', async () => {
      const { id } = (await reserve(wanted)).body;
      const repository = api.app.get(InventoryRepository);
      const { resolveHolds } = InventoryRepository.prototype;
      repository.resolveHolds = (requests, stuck) =>
        resolveHolds.call(repository, requests, stuck, LONG_PATIENCE_MS);
      const share = await shareOf(
        payOther,
        () => lockTicket(id),
        () => resolve(id, 'cancel'),
      );
      Reflect.deleteProperty(repository, 'resolveHolds');
      expect(share).toBeLessThan(0.4);
    });

    it('that is due lets others be told "sold out" beside it, and is for sale once it is free', async () => {
      await api.sql('UPDATE quotas SET capacity = 1 WHERE event_id = $1', [wanted.id]);
      const { id } = (await reserve(wanted)).body;
      await api.sql(
        `UPDATE orders SET expires_at = now() + interval '1 second'
        WHERE id = (SELECT order_id FROM tickets WHERE id = $1)`,
        [id],
      );
      const lock = await lockTicket(id);
      await sleep(1_000);
      const share = await shareOf(
        reserveOther,
        () => Promise.resolve({ commit: () => Promise.resolve() }),
        () => reserve(wanted),
      );
      expect(share).toBeGreaterThan(0.5);
      expectProblem(await reserve(wanted), 409, 'event_sold_out');
      await lock.commit();
      await eventually(async () => expect((await reserve(wanted)).status).toBe(201));
    });
  });

  describe('that only changes need', () => {
    const lockRow = (table: string, id: unknown) => () =>
      database.begin(`SELECT FROM ${table} WHERE id = $1 FOR UPDATE`, [id]);
    const change = (path: string, body: object) =>
      api.client.send('PATCH', path, {
        body: JSON.stringify(body),
        headers: { 'Content-Type': 'application/json' },
      });
    const crowd = (send: () => Promise<unknown>) => () => Promise.all(Array.from({ length: 12 }, send));

    it.each<[string, () => Promise<[table: string, id: unknown, send: () => Promise<unknown>]>]>([
      [
        'event',
        () => Promise.resolve(['events', wanted.id, () => change(`/events/${wanted.id}`, { title: 'x' })]),
      ],
      [
        'account',
        async () => {
          const { id } = await api.create.user();
          return ['users', id, () => change(`/users/${id}`, { name: 'x' })];
        },
      ],
      [
        'device',
        async () => {
          const { body } = await api.client.post(`/events/${wanted.id}/devices`, { name: 'x' });
          return ['devices', body.id, () => api.client.send('DELETE', `/devices/${body.id}`)];
        },
      ],
      [
        'order',
        async () => {
          const { body } = await reserve(wanted);
          const [row] = await api.sql('SELECT order_id FROM tickets WHERE id = $1', [body.id]);
          return ['orders', row?.order_id, () => api.client.post(`/orders/${body.order_code}/extend`)];
        },
      ],
    ])('leaves reservations as they were, beside a crowd that changes one %s', async (_, prepare) => {
      const [table, id, send] = await prepare();
      expect(await shareOf(reserveOther, lockRow(table, id), crowd(send))).toBeGreaterThan(0.5);
    });

    it('lets others have their turn', async () => {
      const lock = await lockRow('events', wanted.id)();
      const crowded = Promise.all(
        Array.from({ length: 8 }, () => change(`/events/${wanted.id}`, { title: 'x' })),
      );
      await database.untilBlocked();
      const other = await change(`/events/${others[0]?.id}`, { title: 'x' });
      expect(other.status).toBe(200);
      for (const answer of await crowded) {
        expectProblem(answer, 503, 'service_unavailable');
        expect(answer.headers.get('retry-after')).toBe('1');
      }
      await lock.commit();
      expect((await change(`/events/${wanted.id}`, { title: 'x' })).status).toBe(200);
    });
  });

  const fallDue = (which: string, id: number) =>
    api.sql(
      `UPDATE orders SET created_at = created_at - (expires_at - now()), expires_at = now()
      WHERE status = 'held' AND ${which}`,
      [id],
    );
  const statusOf = async (id: number) =>
    (await api.sql<{ status: string }>('SELECT status FROM ticket_states WHERE id = $1', [id]))[0]?.status;
});
