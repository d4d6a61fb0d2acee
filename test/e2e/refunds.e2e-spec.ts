import { Statements } from '../../src/database/statements';
import { OrderRefunds } from '../../src/inventory/order-refunds.service';
import { REFUND_ORDER_GUARDS, refundOrder } from '../../src/inventory/refund-order.statement';
import { settleRefunds } from '../../src/inventory/settle-refund.statements';
import { startTestApi, type TestApi } from '../support/api';
import { UNKNOWN } from '../support/bookings';
import { eventually } from '../support/eventually';
import { partyOf, stageBy, type OrderBody, type Party, type TicketBody } from '../support/orders';
import { expectProblem } from '../support/problems';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { MONEY_MISMATCHES, openTill, type Till } from '../support/till';

describe('refunds', () => {
  let api: TestApi;
  let till: Till;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    till = await openTill(api);
  });
  afterEach(async () => {
    expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]);
    expect(await api.sql(MONEY_MISMATCHES)).toEqual([]);
  });
  afterAll(() => api.stop());

  const stage = stageBy(() => api);
  const bought = async (quantity = 2, method = 'ok', at = till) => {
    const order = await at.place(quantity);
    await at.pay(order, method);
    return order;
  };
  const refund = ({ code }: { code: string }, body: object = {}, by: Party = till.organizer, headers = {}) =>
    by.client.post(`/orders/${code}/refunds`, body, headers);
  /** A refund of an amount, without a guard. */
  const refundWithout = async (
    order: OrderBody,
    guards: Partial<typeof REFUND_ORDER_GUARDS>,
    amount: number,
  ) => {
    const [row] = await api.sql<{ id: number }>('SELECT order_id AS id FROM tickets WHERE id = $1', [
      order.tickets[0]?.id,
    ]);
    const { text } = refundOrder({ ...REFUND_ORDER_GUARDS, ...guards });
    return await run(text, [row?.id, null, null, null, amount, null, false, 'organizer']);
  };
  const run = (text: string, values: unknown[]) =>
    api.app.get(Statements, { strict: false }).run({ text }, values);
  const succeeded = (order: { code: string }, number = 1) =>
    eventually(async () =>
      expect((await till.refunds(order)).map(({ status }) => status)).toEqual(
        Array.from({ length: number }, () => 'succeeded'),
      ),
    );
  const statuses = async (order: { code: string }) =>
    (await till.show(order)).tickets.map(({ status }) => status);

  it('give the money of tickets back, and their places', async () => {
    const order = await bought(3);
    const [before] = await stage.counters(till.event);
    const wish = { ticket_ids: [order.tickets[0]?.id], reason: 'Seat was broken' };
    const { status, body } = await refund(order, wish);
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        order_code: order.code,
        status: 'pending',
        amount: 1_250,
        cause: 'organizer',
        ...wish,
        keep_places: false,
      },
    });
    expect(await statuses(order)).toEqual(['refunded', 'paid', 'paid']);
    expect(await stage.counters(till.event)).toEqual([{ ...before, sold: before.sold - 1 }]);
    await succeeded(order);
    expect(await till.show(order)).toMatchObject({
      status: 'paid',
      amount_paid: 3_750,
      amount_refunded: 1_250,
    });
    expectProblem(await refund(order, wish), 409, 'refund_exceeds_payment');
    // All that is left.
    expect((await refund(order)).body).toMatchObject({ amount: 2_500 });
    await succeeded(order, 2);
    expect(await till.show(order)).toMatchObject({ status: 'refunded', amount_refunded: 3_750 });
    expectProblem(await refund(order), 409, 'refund_exceeds_payment');
  });

  it('of an amount leave the tickets as they are', async () => {
    const order = await bought();
    expect((await refund(order, { amount: 500 })).body).toMatchObject({ amount: 500, ticket_ids: null });
    await succeeded(order);
    expect(await statuses(order)).toEqual(['paid', 'paid']);
    expectProblem(await refund(order, { amount: 2_001 }), 409, 'refund_exceeds_payment');
    expect((await refund(order, { amount: 2_000 })).status).toBe(201);
  });

  it('may keep the places', async () => {
    const order = await bought();
    const before = await stage.counters(till.event);
    await refund(order, { keep_places: true });
    expect(await stage.counters(till.event)).toEqual(before);
    expect(await till.show(order)).toMatchObject({ status: 'refunded' });
  });

  it('give no place of a void ticket back twice', async () => {
    const order = await bought(2);
    await till.organizer.client.post(`/tickets/${order.tickets[0]?.id}/void`);
    expect((await refund(order)).body).toMatchObject({ amount: 2_500 });
    expect(await statuses(order)).toEqual(['refunded', 'refunded']);
  });

  it('never exceed what was paid, 20 at once', async () => {
    const order = await bought(4);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refund(order, { amount: 1_000 })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(15);
    await succeeded(order, 5);
    expect(await till.show(order)).toMatchObject({
      amount_paid: 5_000,
      amount_refunded: 5_000,
      status: 'paid',
    });
  });

  it('would exceed it without the guard, if a CHECK let them', async () => {
    const order = await bought();
    await expect(refundWithout(order, { isLeft: 'true' }, 2_501)).rejects.toThrow(
      'payments_giving_back_check',
    );
  });

  it('of cash are given back by the organizer, at once', async () => {
    const order = await till.place();
    await till.organizer.client.post(`/orders/${order.code}/payments`, { offline: true });
    expect((await refund(order)).body).toMatchObject({ status: 'succeeded', amount: 2_500 });
    expect(await till.show(order)).toMatchObject({ status: 'refunded', amount_refunded: 2_500 });
  });

  it('that fail wait to be retried, and succeed once', async () => {
    const order = await bought(2, 'refund_fails');
    const { body } = await refund(order);
    const failed = await eventually(async () => {
      const [first] = await till.refunds(order);
      expect(first).toMatchObject({ status: 'failed', failure_code: expect.any(String) });
      return first;
    });
    // What failed is still to be given back: nothing else is.
    expectProblem(await refund(order, { amount: 1 }), 409, 'refund_exceeds_payment');
    const retry = (by: Party = till.organizer) => by.client.post(`/refunds/${failed?.id}/retry`);
    expectProblem(await retry(till.buyer), 403, 'forbidden');
    expectProblem(await retry(await partyOf(api)), 404, 'refund_not_found');
    const answers = await Promise.all([retry(), retry(), retry()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    await succeeded(order);
    expectProblem(await retry(), 409, 'refund_not_retryable');
    expect(body.id).toBe(failed?.id);
  });

  it('count once where two answers tell of them at once', async () => {
    const order = await bought(2, 'refund_fails');
    const { body } = await refund(order);
    await eventually(async () => expect(await till.refunds(order)).toMatchObject([{ status: 'failed' }]));
    const refunds = api.app.get(OrderRefunds, { strict: false });
    const tell = () => refunds.settle(body.id as number, 1, { id: 're_1', status: 'succeeded' });
    const told = await Promise.all([tell(), tell()]);
    expect(told.map((answer) => answer?.isNew)).toEqual([true, false]);
    expect(told.map((answer) => answer?.status)).toEqual(['succeeded', 'succeeded']);
    expect(await refunds.settle(UNKNOWN, 1, { status: 'succeeded' })).toBeUndefined();
  });

  it('would be counted twice without the guard, if the ledger let them', async () => {
    const order = await bought();
    const { body } = await refund(order);
    await succeeded(order);
    const { text } = settleRefunds({ isNew: 'true' });
    const said = [{ n: 1, id: body.id, attempt: 1, status: 'succeeded' }];
    await expect(run(text, [JSON.stringify(said)])).rejects.toThrow('ledger_refund_id_idx');
  });

  it('are for the organizer, and seen by the buyer', async () => {
    const order = await bought();
    expectProblem(await refund(order, {}, till.buyer), 403, 'forbidden');
    const stranger = await partyOf(api);
    expectProblem(await refund(order, {}, stranger), 404, 'order_not_found');
    expectProblem(await stranger.client.get(`/orders/${order.code}/refunds`), 404, 'order_not_found');
    expectProblem(await refund({ code: 'ZZZZZZZZZZ' }), 404, 'order_not_found');
    expectProblem(await till.organizer.client.post(`/refunds/${UNKNOWN}/retry`), 404, 'refund_not_found');
    expect((await refund(order, {}, { id: 0, client: api.client })).status).toBe(201);
    expect(await till.refunds(order)).toHaveLength(1);
  });

  it.each([
    [{ ticket_ids: [1], amount: 1 }, ['/amount']],
    [{ ticket_ids: [] }, ['/ticket_ids']],
    [{ ticket_ids: [1] }, ['/ticket_ids']],
    [{ amount: 0 }, ['/amount']],
    [{ keep_places: 'yes' }, ['/keep_places']],
    [{ currency: 'USD' }, ['/currency']],
  ])('refuse %j', async (body, pointers) => {
    expectProblem(await refund(await bought(), body), 422, 'validation_failed', { pointers });
  });

  it('answer a key again', async () => {
    const order = await bought();
    const key = { 'Idempotency-Key': `refund-${order.code}` };
    const [first, second] = [
      await refund(order, { amount: 100 }, till.organizer, key),
      await refund(order, { amount: 100 }, till.organizer, key),
    ];
    expect(second).toMatchObject({ status: 201, body: first.body });
    expect(await till.refunds(order)).toHaveLength(1);
  });

  it('are refused of an order that was not paid', async () => {
    expectProblem(await refund(await till.place()), 409, 'refund_exceeds_payment');
  });

  describe('where the bank disputes the payment', () => {
    it('are refused until it is won; its tickets are good no more meanwhile', async () => {
      const order = await bought(2, 'dispute');
      await eventually(async () => expect(await statuses(order)).toEqual(['blocked', 'blocked']));
      expectProblem(await refund(order, { amount: 1 }), 409, 'refund_exceeds_payment');
      await till.endDispute(order, 'win');
      await eventually(async () => expect(await statuses(order)).toEqual(['paid', 'paid']));
      expect((await refund(order)).status).toBe(201);
      await succeeded(order);
    });

    it('would be begun without the guard, and fail at the provider', async () => {
      const order = await bought(2, 'dispute');
      await eventually(async () => expect(await statuses(order)).toEqual(['blocked', 'blocked']));
      expect(await refundWithout(order, { isUndisputed: 'true' }, 1)).toMatchObject([{ status: 'pending' }]);
      await eventually(async () =>
        expect(await till.refunds(order)).toMatchObject([{ failure_code: 'payment_disputed' }]),
      );
    });

    it('are refused again by a second one, of which each counts as what it takes', async () => {
      const order = await bought();
      const entries = () =>
        api.sql(
          `SELECT kind, amount::int FROM ledger WHERE kind LIKE 'dispute%' AND order_id = (
            SELECT order_id FROM tickets WHERE id = $1
          ) ORDER BY id`,
          [order.tickets[0]?.id],
        );
      const become = (status: string) =>
        eventually(async () => expect(await statuses(order)).toEqual([status, status]));
      for (const amount of [1_000, 2_500]) {
        expect(await till.dispute(order, amount)).toMatchObject({ status: 200, body: { status: 'open' } });
        await become('blocked');
        expectProblem(await refund(order, { amount: 1 }), 409, 'refund_exceeds_payment');
        await till.endDispute(order, 'win');
        await become('paid');
      }
      expect(await entries()).toEqual([
        { kind: 'dispute', amount: -1_000 },
        { kind: 'dispute_won', amount: 1_000 },
        { kind: 'dispute', amount: -2_500 },
        { kind: 'dispute_won', amount: 2_500 },
      ]);
      expect((await refund(order)).status).toBe(201);
      await succeeded(order);
    });

    it('are over when it is lost; its tickets may be taken back then, with their code', async () => {
      await stage.code(till.event, 'bank', { percent: 10, uses: 1 });
      const order = await till.place(2, { code: 'bank' });
      await till.pay(order, 'dispute');
      await eventually(async () => expect(await statuses(order)).toEqual(['blocked', 'blocked']));
      const voidIt = ({ id }: { id: number }) => till.organizer.client.post(`/tickets/${id}/void`);
      const [one, two] = order.tickets as [TicketBody, TicketBody];
      const refused = await voidIt(one);
      expectProblem(refused, 409, 'ticket_not_voidable');
      expect(refused.body.ticket_status).toBe('blocked');
      await till.endDispute(order, 'lose');
      await eventually(async () =>
        expect(await api.sql(`SELECT status FROM payments WHERE dispute = 'lost'`)).toHaveLength(1),
      );
      expect(await statuses(order)).toEqual(['blocked', 'blocked']);
      expectProblem(await refund(order), 409, 'refund_exceeds_payment');
      const sold = async () => (await stage.counters(till.event)).map((quota) => quota.sold as number);
      const [uses, places] = (await sold()) as [number, number];
      expect(await voidIt(one)).toMatchObject({ status: 200, body: { status: 'void' } });
      expect(await sold()).toEqual([uses, places - 1]);
      expect((await voidIt(two)).status).toBe(200);
      expect(await sold()).toEqual([uses - 1, places - 2]);
      expectProblem(await voidIt(two), 409, 'ticket_not_voidable');
    });
  });
});
