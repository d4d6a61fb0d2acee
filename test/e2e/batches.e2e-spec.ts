import { setImmediate as turn } from 'node:timers/promises';
import { Problem } from '../../src/problems/problem';
import { InventoryRepository } from '../../src/inventory/inventory.repository';
import { InventoryService } from '../../src/inventory/inventory.service';
import { startTestApi, type TestApi } from '../support/api';
import { INVENTORY_MISMATCHES } from '../support/seats';

/** As many as share one statement at most. */
const BATCH = 128;
const NOBODY = 999_999_999;
/** No bigint, so that PostgreSQL refuses the whole statement; no client can send it. */
const UNTHINKABLE = 2 ** 70;

/** Requests are handed to the service in a known order, which HTTP does not promise. */
describe('requests that share a statement', () => {
  let api: TestApi;
  let inventory: InventoryService;
  let users: number[];
  /** How many requests each statement carried. */
  let batches: number[];

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '2' });
    inventory = api.app.get(InventoryService);
    const rows = await api.sql<{ id: number }>(
      `INSERT INTO users (name, email) SELECT 'Guest', n FROM generate_series(1, 400) AS n RETURNING id`,
    );
    users = rows.map(({ id }) => id);
    const repository = api.app.get(InventoryRepository);
    // No sweep comes between what happens in a test.
    Object.assign(repository, {
      releaseDueHolds: () => Promise.resolve({ lookedAt: new Date(), lateSeconds: [], lastDueAt: null, leftSince: null }),
    });
    for (const method of ['placeHolds', 'resolveHolds'] as const) {
      const statement = repository[method].bind(repository) as (...args: unknown[]) => Promise<unknown>;
      Object.assign(repository, {
        [method]: (requests: unknown[], ...policy: unknown[]) => {
          batches.push(requests.length);
          return statement(requests, ...policy);
        },
      });
    }
  });
  beforeEach(() => {
    batches = [];
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(() => api.stop());

  const user = (i: number) => users[i] as number;
  const event = async (total_tickets: number, fields: object = {}): Promise<number> =>
    (await api.create.event({ total_tickets, ...fields })).id;

  const outcomeOf = (answer: Promise<{ status: string }>) =>
    answer.then(
      ({ status }) => status,
      (error: unknown) => (error instanceof Problem ? error.code : 'failed'),
    );
  const hold = (userId: number, eventId: number) =>
    inventory.holdPlaces({ userId, eventId, items: [{ ticketTypeId: null, quantity: 1 }] });
  const reserve = (userId: number, eventId: number) => outcomeOf(hold(userId, eventId));
  const resolve = (ticketId: number, target: 'paid' | 'cancelled') =>
    outcomeOf(inventory.resolveHold({ orderId: null, ticketId, target, scope: { by: 'anyone' } }));

  describe('are answered as each would be alone', () => {
    /** A scene of its own for each time: a reservation in one is not in the other. */
    async function orders(): Promise<[userId: number, eventId: number][]> {
      const [free, soldOut, full, ended] = await Promise.all([
        event(100),
        event(0),
        event(2),
        event(5, { start_time: '2001-01-01T00:00:00Z', end_time: '2001-01-02T00:00:00Z' }),
      ]);
      return [
        [user(0), free],
        [NOBODY, free],
        [user(0), full],
        [user(0), NOBODY],
        [user(0), soldOut],
        [user(1), free],
        [NOBODY, NOBODY],
        [user(1), full],
        [user(0), ended],
        [user(2), full],
        [NOBODY, ended],
        [user(0), free],
        [user(0), free],
        [user(2), soldOut],
        [user(2), free],
        [user(1), free],
      ];
    }
    const expected = [
      'held',
      'user_not_found',
      'held',
      'event_not_found',
      'event_sold_out',
      'held',
      'user_not_found',
      'held',
      'event_ended',
      'event_sold_out',
      'user_not_found',
      'held',
      'hold_limit_reached',
      'event_sold_out',
      'held',
      'held',
    ];

    it('when reserving', async () => {
      const alone: string[] = [];
      for (const order of await orders()) alone.push(await reserve(...order));
      expect(alone).toEqual(expected);

      const together = await orders();
      batches = [];
      expect(await Promise.all(together.map((order) => reserve(...order)))).toEqual(expected);
      expect(batches).toEqual([expected.length]);
    });

    it('when one of them breaks the statement of all', async () => {
      const [first, ...rest] = await orders();
      const poisoned = [first, [UNTHINKABLE, first?.[1]], ...rest] as [number, number][];
      batches = [];
      const outcomes = await Promise.all(poisoned.map((order) => reserve(...order)));
      const [one, ...others] = expected;
      expect(outcomes).toEqual([one, 'failed', ...others]);
      expect(batches).toEqual([poisoned.length, ...poisoned.map(() => 1)]);
    });

    it('when paying and giving back', async () => {
      const scene = async () => {
        const eventId = await event(10);
        const ids: number[] = [];
        for (let i = 0; i < 5; i++) ids.push(...(await hold(user(i), eventId)).ticketIds);
        const [paid, cancelled, contested, returned, due] = ids as [number, number, number, number, number];
        await api.sql('UPDATE orders SET expires_at = now() WHERE id = $1', [due]);
        return [
          [paid, 'paid'],
          [NOBODY, 'paid'],
          [cancelled, 'cancelled'],
          [due, 'paid'],
          [contested, 'paid'],
          [contested, 'cancelled'],
          [NOBODY, 'cancelled'],
          [returned, 'cancelled'],
          [returned, 'paid'],
          [due, 'cancelled'],
          [paid, 'paid'],
        ] as [number, 'paid' | 'cancelled'][];
      };
      const outcomes = [
        'paid',
        'ticket_not_found',
        'cancelled',
        'ticket_not_payable',
        'paid',
        'ticket_not_cancellable',
        'ticket_not_found',
        'cancelled',
        'ticket_not_payable',
        'ticket_not_cancellable',
        'ticket_not_payable',
      ];
      const alone: string[] = [];
      for (const request of await scene()) alone.push(await resolve(...request));
      expect(alone).toEqual(outcomes);

      const together = await scene();
      batches = [];
      expect(await Promise.all(together.map((request) => resolve(...request)))).toEqual(outcomes);
      expect(batches).toEqual([outcomes.length]);
    });
  });

  describe('win in the order in which they came', () => {
    const winners = (outcomes: string[]) => outcomes.flatMap((outcome, i) => (outcome === 'held' ? [i] : []));
    const first = (number: number) => Array.from({ length: number }, (_, i) => i);

    it('in one statement', async () => {
      const eventId = await event(20);
      const outcomes = await Promise.all(first(60).map((i) => reserve(user(i), eventId)));
      expect(winners(outcomes)).toEqual(first(20));
      expect(batches).toEqual([60]);
    });

    it('when they are too many for one', async () => {
      const eventId = await event(200);
      const outcomes = await Promise.all(first(400).map((i) => reserve(user(i), eventId)));
      expect(winners(outcomes)).toEqual(first(200));
      expect(batches).toEqual([BATCH, BATCH, BATCH, 400 - 3 * BATCH]);
    });

    it('when they come while others are under way', async () => {
      const eventId = await event(20);
      const outcomes: Promise<string>[] = [];
      for (let i = 0; i < 60; i++) {
        outcomes.push(reserve(user(i), eventId));
        if (i % 7 === 0) await turn();
      }
      expect(winners(await Promise.all(outcomes))).toEqual(first(20));
      expect(batches.length).toBeGreaterThan(1);
    });

    it('when one of them breaks the statement of all', async () => {
      const eventId = await event(20);
      const outcomes = await Promise.all(
        first(60).map((i) => reserve(i === 5 ? UNTHINKABLE : user(i), eventId)),
      );
      expect(winners(outcomes)).toEqual(first(21).filter((i) => i !== 5));
    });

    it('for places whose holds have fallen due and are not released yet', async () => {
      const eventId = await event(20);
      await Promise.all(first(20).map((i) => reserve(user(i), eventId)));
      await api.sql('UPDATE orders SET expires_at = now() WHERE event_id = $1', [eventId]);
      batches = [];
      const outcomes = await Promise.all(first(60).map((i) => reserve(user(i), eventId)));
      expect(winners(outcomes)).toEqual(first(20));
      expect(batches).toEqual([60, 60]);
    });
  });
});
