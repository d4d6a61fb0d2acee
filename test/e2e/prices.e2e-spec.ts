import fc from 'fast-check';
import { Pool } from 'pg';
import { InventoryService } from '../../src/inventory/inventory.service';
import type { Problem } from '../../src/problems/problem';
import { codeKey } from '../../src/text/code-key';
import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';

const MOST = Number.MAX_SAFE_INTEGER;

/** A failing run prints its seed; `SEED=… npx jest prices` plays it again. */
const seed = process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) };

interface Discount {
  percent?: number;
  amount?: number;
}

describe('what tickets cost with a code', () => {
  let database: TestDatabase;
  let pool: Pool;

  beforeAll(async () => {
    database = await createDatabase();
    pool = new Pool({ connectionString: database.url });
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  /** @param reduced which of the tickets the code is for; left out: all */
  async function priced(prices: bigint[], { percent, amount }: Discount, reduced = prices.map(() => true)) {
    const { rows } = await pool.query<{ prices: string[] }>(
      'SELECT price_tickets($1::bigint[], $2::boolean[], $3::int, $4::bigint) AS prices',
      [prices.map(String), reduced, percent ?? null, amount ?? null],
    );
    return rows[0]?.prices.map(BigInt);
  }
  const big = (numbers: number[]) => numbers.map(BigInt);

  it.each<[string, number[], Discount, number[]]>([
    ['half of an odd price, rounded half up', [333], { percent: 50 }, [166]],
    ['half of one', [1], { percent: 50 }, [0]],
    ['a percent of what is too little to be reduced', [49], { percent: 1 }, [49]],
    ['a percent of what is just enough', [50], { percent: 1 }, [49]],
    ['a third of yen, which have no smaller unit', [1_000, 999], { percent: 33 }, [670, 669]],
    ['a tenth of dinars, which have three digits', [12_345], { percent: 10 }, [11_110]],
    ['all of it', [333, 1], { percent: 100 }, [0, 0]],
    ['a percentage of nothing', [0, 0], { percent: 50 }, [0, 0]],
    ['an amount that can not be divided', [1_000, 1_000, 1_000], { amount: 100 }, [966, 967, 967]],
    ['an amount over prices that differ', [1_000, 333, 1], { amount: 500 }, [625, 208, 1]],
    ['one cent, to the first', [10, 10], { amount: 1 }, [9, 10]],
    ['an amount as large as the total', [333, 334], { amount: 667 }, [0, 0]],
    ['an amount that is larger', [333, 334], { amount: MOST }, [0, 0]],
    ['an amount off nothing', [0, 0], { amount: 5 }, [0, 0]],
    ['an amount, of which free tickets get none', [0, 10, 0, 10], { amount: 5 }, [0, 7, 0, 8]],
    ['half of the most there is', [MOST], { percent: 50 }, [4_503_599_627_370_495]],
    ['99 % of the most there is', [MOST], { percent: 99 }, [90_071_992_547_410]],
    ['an amount off the most there is', [MOST, MOST, MOST], { amount: MOST }, thirds()],
  ])('is right for %s', async (_what, prices, discount, expected) => {
    expect(await priced(big(prices), discount)).toEqual(big(expected));
  });

  /** Two thirds of the most there is, three times. */
  function thirds(): number[] {
    const share = (MOST - 1) / 3;
    return [MOST - share - 1, MOST - share, MOST - share];
  }

  it('leaves tickets as they are that the code is not for', async () => {
    expect(await priced(big([500, 300, 500]), { percent: 50 }, [true, false, false])).toEqual(
      big([250, 300, 500]),
    );
    expect(await priced(big([500, 300, 500]), { amount: 600 }, [true, false, false])).toEqual(
      big([0, 300, 500]),
    );
    expect(await priced(big([500, 300]), { amount: 600 }, [false, false])).toEqual(big([500, 300]));
  });

  const anyPrice = fc.oneof(
    fc.constantFrom(0, 1, 2, 3, 49, 50, 99, 333, 1_000, MOST, MOST - 1),
    fc.nat(2_000),
    fc.maxSafeNat(),
  );
  const anyDiscount = fc.oneof(
    fc.integer({ min: 1, max: 100 }).map((percent): Discount => ({ percent })),
    fc
      .oneof(
        fc.integer({ min: 1, max: 5_000 }),
        fc.maxSafeNat().map((n) => Math.max(n, 1)),
      )
      .map((amount): Discount => ({ amount })),
  );
  const anyTickets = fc.array(fc.tuple(anyPrice, fc.boolean()), { minLength: 1, maxLength: 12 });

  it('adds up, whatever is asked for', async () => {
    const property = fc.asyncProperty(anyTickets, anyDiscount, async (tickets, discount) => {
      const prices = tickets.map(([price]) => BigInt(price));
      const reduced = tickets.map(([, isReduced]) => isReduced);
      const after = (await priced(prices, discount, reduced)) ?? [];
      expect(after).toHaveLength(prices.length);
      const taken = after.map((price, i) => (prices[i] as bigint) - price);
      const sum = (numbers: bigint[]) => numbers.reduce((total, number) => total + number, 0n);
      // None costs less than nothing, or more than before; nobody else's ticket is reduced.
      taken.forEach((off, i) => {
        expect(off >= 0n && (after[i] as bigint) >= 0n).toBe(true);
        if (!reduced[i]) expect(off).toBe(0n);
      });
      if (discount.percent !== undefined) {
        const percent = BigInt(discount.percent);
        taken.forEach((off, i) =>
          expect(off).toBe(reduced[i] ? ((prices[i] as bigint) * percent + 50n) / 100n : 0n),
        );
        return;
      }
      const subject = sum(prices.filter((_, i) => reduced[i]));
      const amount = BigInt(discount.amount ?? 0);
      const whole = amount < subject ? amount : subject;
      expect(sum(taken)).toBe(whole);
      // Each ticket has its share, or the next larger number.
      taken.forEach((off, i) => {
        const share = reduced[i] && subject > 0n ? (whole * (prices[i] as bigint)) / subject : 0n;
        expect([share, share + 1n]).toContain(off);
      });
    });
    await fc.assert(property, { ...seed, numRuns: 300 });
  });
});

describe('what an order costs', () => {
  let api: TestApi;
  let buyer: { id: number };

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    buyer = await api.create.user();
  });
  afterAll(() => api.stop());

  async function order(prices: number[], quantity: number, discount: object, currency = 'EUR') {
    const event = await api.create.event({ total_tickets: 100 });
    await api.sql('UPDATE events SET currency = $2 WHERE id = $1', [event.id, currency]);
    const types = [];
    for (const price of prices) types.push(await api.create.ticketType(event, { price }));
    await api.create.code(event, { code: 'OFF', ...discount });
    const items = types.map(({ id }) => ({ ticketTypeId: id as number, quantity }));
    try {
      return await api.app
        .get(InventoryService)
        .holdPlaces({ userId: buyer.id, eventId: event.id, items, code: codeKey('off') });
    } catch (error) {
      return error as Problem;
    }
  }

  it('is what its tickets cost, to the last unit', async () => {
    expect(await order([333, 1_000], 3, { percent_off: 50 })).toMatchObject({
      subtotal: 3_999,
      total: 1_998,
      currency: 'EUR',
      prices: [166, 166, 166, 500, 500, 500],
    });
    expect(await order([1_000, 333], 2, { amount_off: 500 }, 'JPY')).toMatchObject({
      subtotal: 2_666,
      total: 2_166,
      currency: 'JPY',
      prices: [812, 812, 271, 271],
    });
    expect(await order([1_250], 2, { amount_off: 9_999 }, 'KWD')).toMatchObject({ total: 0, prices: [0, 0] });
  });

  it('may be as much as a number can say, and not more, whatever is taken off', async () => {
    expect(await order([MOST - 1, 1], 1, { percent_off: 1 })).toMatchObject({ subtotal: MOST });
    expect(await order([MOST - 1, 2], 1, { percent_off: 100 })).toMatchObject({
      code: 'validation_failed',
      errors: [{ pointer: '/items', detail: expect.any(String) }],
    });
    expect(await order([MOST], 10, { percent_off: 100 })).toMatchObject({ code: 'validation_failed' });
  });
});
