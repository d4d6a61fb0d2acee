import { PaymentSettlement } from '../../src/inventory/payment-settlement.service';
import { RELEASE_GUARDS } from '../../src/inventory/release-due-holds.statements';
import { startTestApi, type TestApi } from '../support/api';
import { eventually } from '../support/eventually';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { MONEY_MISMATCHES, openTill, type Till } from '../support/till';
import { untoldMoney } from '../support/untold-money';

describe('money that comes', () => {
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

  const { begun, said, settle, expectKept, release, end, expire } = untoldMoney(() => api);

  it('is waited for when the hold ends, but no longer than a minute', async () => {
    const order = await begun(till);
    await end(order, 50);
    await release();
    expect(await till.show(order)).toMatchObject({ status: 'held' });
    await release({ ...RELEASE_GUARDS, isUnpaid: 'true' });
    expect(await till.show(order)).toMatchObject({ status: 'expired' });
    await expire(await begun(till));
  });

  it('after the hold has ended buys the places, where all are free again', async () => {
    const order = await begun(till);
    await expire(order);
    await settle(await said(order));
    const paid = await till.show(order);
    expect(paid).toMatchObject({ status: 'paid', amount_paid: 2_500, amount_refunded: 0 });
    expect(paid.tickets.map(({ status }) => status)).toEqual(['paid', 'paid']);
  });

  describe('where the places are gone', () => {
    let small: Till;

    /** One of the two places is sold to somebody else. */
    async function gone() {
      small = await openTill(api, { total_tickets: 2 });
      const order = await begun(small);
      await expire(order);
      const other = await small.place(1);
      await small.pay(other);
      return order;
    }

    it('is given back in full', async () => {
      const order = await gone();
      const [settled] = await settle(await said(order));
      expect(settled).toMatchObject({ refundCause: 'places_gone' });
      // Decided and written down at once.
      expect(await small.refunds(order)).toMatchObject([{ amount: 2_500, cause: 'places_gone' }]);
      await eventually(async () =>
        expect(await small.show(order)).toMatchObject({ status: 'expired', amount_paid: 2_500 }),
      );
    });

    it('would be kept for places that others have, without the guard', async () => {
      const order = await gone();
      await expect(settle(await said(order), { isFree: 'true' })).rejects.toThrow('quotas_places_check');
    });
  });

  it('with the method "late" is taken, though it let itself be cancelled', async () => {
    const order = await till.place();
    await till.pay(order, 'late');
    await till.buyer.client.post(`/orders/${order.code}/extend`);
    await api.sql(
      `UPDATE sandbox.payments SET succeeds_at = now() + interval '1 second' WHERE metadata ->> 'order_code' = $1`,
      [order.code],
    );
    await till.fallDue(order);
    await till.until(order, 'expired');
    expect(await till.payments(order)).toMatchObject([{ status: 'failed', failure_code: 'cancelled' }]);
    expect(await till.until(order, 'paid')).toMatchObject({ amount_paid: 2_500, amount_refunded: 0 });
    expect(await till.payments(order)).toMatchObject([{ status: 'succeeded' }]);
  });

  it('late buys nothing beyond what its user may have of the event', async () => {
    const few = await openTill(api, { max_tickets_per_user: 3 });
    const order = await begun(few);
    await expire(order);
    // What was bought anew, as the first payment seemed to have failed.
    const other = await few.place(2);
    await few.pay(other);
    const news = await said(order);
    await expectKept(order, news, { isWithinLimit: 'true' });
    await settle(news);
    expect(await few.refunds(order)).toMatchObject([{ amount: 2_500, cause: 'ticket_limit_reached' }]);
    expect(await few.show(other)).toMatchObject({ status: 'paid' });
    // Up to it, all that is paid is sold.
    const last = await begun(few, 1);
    await expire(last);
    await settle(await said(last, 1_250));
    expect(await few.show(last)).toMatchObject({ status: 'paid' });
  });

  it('hours late buys the places all the same', async () => {
    const order = await begun(till);
    await expire(order);
    await end(order, 5 * 3_600);
    await settle(await said(order));
    expect(await till.show(order)).toMatchObject({ status: 'paid', amount_paid: 2_500 });
  });

  it('is there for good, whatever is told after it', async () => {
    const order = await begun(till);
    await settle(await said(order));
    const stale = await said(order, 2_500, 'EUR', 'processing');
    expect(await settle(stale)).toMatchObject([{ status: 'succeeded', isNew: false }]);
    await expect(settle(stale, { isNew: 'true' })).rejects.toThrow('payments_taken_check');
  });

  it('late for several orders at once buys what is free, and no more', async () => {
    const small = await openTill(api, { total_tickets: 6 });
    const orders = [await begun(small), await begun(small), await begun(small)];
    for (const order of orders) await expire(order);
    const other = await small.place(1);
    await small.pay(other);
    const settlement = api.app.get(PaymentSettlement, { strict: false });
    await Promise.all(
      orders.map(async (order) => {
        const { provider_payment: id, payment_id: paymentId } = await said(order);
        const news = { id, status: 'succeeded', amount: 2_500, currency: 'EUR' } as const;
        await settlement.apply('sandbox', news, { paymentId });
      }),
    );
    const became = await Promise.all(orders.map((order) => small.show(order)));
    expect(became.map(({ status }) => status).sort()).toEqual(['expired', 'paid', 'paid']);
    for (const order of became.filter(({ status }) => status === 'expired'))
      expect(await small.refunds(order)).toMatchObject([{ amount: 2_500, cause: 'places_gone' }]);
  });

  it('is counted once, however often and from wherever it is told', async () => {
    const order = await begun(till);
    const values = await said(order);
    await Promise.all(Array.from({ length: 20 }, () => settle(values)));
    expect(await till.show(order)).toMatchObject({ status: 'paid', amount_paid: 2_500 });
    // Without the guard it would count twice, if the ledger let it.
    await expect(settle(values, { isNew: 'true' })).rejects.toThrow('ledger_payment_id_kind_idx');
  });
});
