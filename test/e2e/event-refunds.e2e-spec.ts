import { startTestApi, type TestApi } from '../support/api';
import { eventually } from '../support/eventually';
import { exact } from '../support/replays';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { MONEY_MISMATCHES, openTill, type Till } from '../support/till';

describe('the money of an event that is cancelled', () => {
  let api: TestApi;
  let till: Till;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
  });
  beforeEach(async () => {
    till = await openTill(api);
    await switches({ fail_one_in: 0, balance_exhausted: false });
  });
  afterEach(async () => {
    expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]);
    expect(await api.sql(MONEY_MISMATCHES)).toEqual([]);
  });
  afterAll(() => api.stop());

  const switches = (body: object) => api.client.post('/sandbox/switches', body);
  const cancel = (headers = {}) =>
    till.organizer.client.post(`/events/${till.event.id}/cancel`, undefined, headers);
  const state = async () => (await till.organizer.client.get(`/events/${till.event.id}/cancellation`)).body;
  const until = (status: string, limitMs = 20_000) =>
    eventually(async () => expect(await state()).toMatchObject({ status }), limitMs);
  const buy = async (number: number) =>
    await Promise.all(
      Array.from({ length: number }, async () => {
        const order = await till.place();
        await till.pay(order);
        return order;
      }),
    );
  /** What the sandbox gave back for these orders. */
  const returned = async () =>
    await api.sql(
      `SELECT count(*)::int AS refunds, count(DISTINCT payment)::int AS payments, sum(amount)::int AS amount
      FROM sandbox.refunds WHERE status = 'succeeded' AND payment IN (SELECT provider_payment FROM payments WHERE event_id = $1)`,
      [till.event.id],
    );

  it('is given back once for each order, whatever was given back before', async () => {
    const [partly, ...others] = await buy(5);
    const cash = await till.place();
    await till.organizer.client.post(`/orders/${cash.code}/payments`, { offline: true });
    await till.organizer.client.post(`/orders/${partly?.code}/refunds`, {
      ticket_ids: [partly?.tickets[0]?.id],
    });
    await cancel();
    await until('done');
    expect(await state()).toEqual({
      status: 'done',
      refunds_total: 5,
      refunds_done: 5,
      refunds_failed: 0,
      amount_owed: 2_500,
    });
    for (const order of [partly, ...others]) {
      expect(await till.show(order as { code: string })).toMatchObject({
        status: 'refunded',
        amount_paid: 2_500,
        amount_refunded: 2_500,
      });
    }
    expect(await till.show(cash)).toMatchObject({ status: 'paid', amount_refunded: 0 });
    expect((await cancel()).body).toMatchObject({ status: 'done' });
    expect(await returned()).toEqual([{ refunds: 6, payments: 5, amount: 12_500 }]);
  });

  it('has gone back where all of an order was given back as an amount, and lets nobody in', async () => {
    const [order] = await buy(1);
    await till.organizer.client.post(`/orders/${order?.code}/refunds`, { amount: 2_500 });
    await till.untilRefunded(order as { code: string });
    await cancel();
    await until('done');
    const { status, tickets } = await till.show(order as { code: string });
    expect([status, ...tickets.map((ticket) => ticket.status)]).toEqual(['refunded', 'refunded', 'refunded']);
  });

  it('is given back once the bank, which disputed it, leaves it to the organizer', async () => {
    const order = await till.place();
    await till.pay(order, 'dispute');
    await eventually(async () => expect((await till.show(order)).tickets[0]?.status).toBe('blocked'));
    await cancel();
    await until('done');
    expect(await till.show(order)).toMatchObject({ status: 'paid', amount_refunded: 0 });
    await till.endDispute(order, 'win');
    expect(await till.untilRefunded(order)).toMatchObject({ status: 'refunded' });
    expect(await till.refunds(order)).toMatchObject([{ amount: 2_500, cause: 'event_cancelled' }]);
    expect(await state()).toMatchObject({ status: 'done', refunds_total: 1, refunds_done: 1 });
  });

  describe('of which a bank takes a part for good', () => {
    /** A dispute about 10 of the 25 €, which is open. */
    async function disputed() {
      const order = await till.place();
      await till.pay(order);
      await till.dispute(order, 1_000);
      await eventually(async () => expect((await till.show(order)).tickets[0]?.status).toBe('blocked'));
      return order;
    }
    const expectRestBack = async (order: { code: string }) => {
      await eventually(async () =>
        expect(await till.show(order)).toMatchObject({ status: 'refunded', amount_refunded: 1_500 }),
      );
      expect(await till.refunds(order)).toMatchObject([
        { status: 'succeeded', amount: 1_500, cause: 'event_cancelled' },
      ]);
      expect(await state()).toMatchObject({ status: 'done', refunds_total: 1, refunds_done: 1 });
    };

    it('is given back but for that, where the bank decided before', async () => {
      const order = await disputed();
      await till.endDispute(order, 'lose');
      await eventually(async () =>
        expect(
          await api.sql('SELECT FROM payments WHERE event_id = $1 AND lost = 1000', [till.event.id]),
        ).toHaveLength(1),
      );
      await cancel();
      await expectRestBack(order);
    });

    it('is given back but for that, where the bank decides after', async () => {
      const order = await disputed();
      await cancel();
      await until('done');
      expect(await till.refunds(order)).toEqual([]);
      await till.endDispute(order, 'lose');
      await expectRestBack(order);
    });
  });

  it('is given back in the end, though one call in three fails', async () => {
    await buy(20);
    await switches({ fail_one_in: 3 });
    await cancel();
    // A message that failed five times is tried again after half a minute.
    await until('done', 75_000);
    expect(await returned()).toEqual([{ refunds: 20, payments: 20, amount: 50_000 }]);
  });

  it('waits for a person where a refund of before has failed, and is given back with the others', async () => {
    const order = await till.place();
    await till.pay(order, 'refund_fails');
    await till.organizer.client.post(`/orders/${order.code}/refunds`, {});
    await eventually(async () => expect(await till.refunds(order)).toMatchObject([{ status: 'failed' }]));
    await buy(1);
    await cancel();
    await until('stuck');
    expect(await state()).toMatchObject({ refunds_total: 2, refunds_done: 1, refunds_failed: 1 });
    await cancel();
    await until('done');
    expect(await till.untilRefunded(order)).toMatchObject({ status: 'refunded' });
    expect(await returned()).toEqual([{ refunds: 2, payments: 2, amount: 5_000 }]);
  });

  it('waits for a person where the balance is used up, and is given back once they say so', async () => {
    await buy(5);
    await switches({ balance_exhausted: true });
    await cancel();
    await until('stuck');
    expect(await state()).toMatchObject({
      refunds_total: 5,
      refunds_done: 0,
      refunds_failed: 5,
      detail: expect.stringMatching(
        /^5 refunds failed, most of them for \w+\. .*send the cancellation again/,
      ),
    });
    await switches({ balance_exhausted: false });
    const key = { 'Idempotency-Key': 'resume' };
    const resumed = await cancel(key);
    expect(resumed.body).toMatchObject({ status: 'running', refunds_failed: 0 });
    await until('done');
    expect(await returned()).toEqual([{ refunds: 5, payments: 5, amount: 12_500 }]);
    expect(exact(await cancel(key))).toEqual(exact(resumed));
  });
});
