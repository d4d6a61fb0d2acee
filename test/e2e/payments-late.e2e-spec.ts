import { Statements } from '../../src/database/statements';
import { RELEASE_GUARDS, releaseDueHolds } from '../../src/inventory/release-due-holds.statements';
import { SETTLE_PAYMENT_GUARDS, settlePayment } from '../../src/inventory/settle-payment.statement';
import { startTestApi, type TestApi } from '../support/api';
import { eventually } from '../support/eventually';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { MONEY_MISMATCHES, openTill, type Till } from '../support/till';

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

  /** An order whose payment waits for the buyer. */
  async function begun(at = till) {
    const order = await at.place();
    const { body: payment } = await at.pay(order, 'requires_action');
    return { ...order, payment };
  }

  type Begun = Awaited<ReturnType<typeof begun>>;

  /** What the provider says: the buyer has paid. */
  const said = async ({ payment }: Begun, amount = 2_500, currency = 'EUR') => {
    const [row] = await api.sql<{ provider_payment: string }>(
      'SELECT provider_payment FROM payments WHERE id = $1',
      [payment.id],
    );
    return ['sandbox', row?.provider_payment, payment.id, 'succeeded', amount, currency, null, null, null];
  };
  const settle = async (values: unknown[], guards: Partial<typeof SETTLE_PAYMENT_GUARDS> = {}) => {
    const { text } = settlePayment({ ...SETTLE_PAYMENT_GUARDS, ...guards });
    return await api.app.get(Statements, { strict: false }).run({ text }, values);
  };
  const release = (guards = RELEASE_GUARDS) =>
    api.app
      .get(Statements, { strict: false })
      .run({ text: releaseDueHolds(guards).text }, [1_000, '-infinity', [], 1_000]);
  /** Lets a hold have ended so long ago. */
  const end = async ({ code }: { code: string }, seconds: number) => {
    await api.sql('UPDATE payments SET ask_at = NULL');
    const { tickets } = (await api.client.get(`/orders/${code}`)).body;
    await api.sql(
      `UPDATE orders SET created_at = created_at - interval '1 hour', expires_at = now() - make_interval(secs => $2)
      WHERE id = (SELECT order_id FROM tickets WHERE id = $1)`,
      [tickets[0].id, seconds],
    );
  };
  /** Ends a hold with its payment left open, as where the provider was away. */
  const expire = async (order: { code: string }) => {
    await end(order, 56);
    await release();
    expect((await api.client.get(`/orders/${order.code}`)).body).toMatchObject({ status: 'expired' });
  };

  it('is waited for when the hold ends, but no longer than a minute', async () => {
    const order = await begun();
    await end(order, 50);
    await release();
    expect(await till.show(order)).toMatchObject({ status: 'held' });
    await release({ ...RELEASE_GUARDS, isUnpaid: 'true' });
    expect(await till.show(order)).toMatchObject({ status: 'expired' });
    await expire(await begun());
  });

  it('after the hold has ended buys the places, where all are free again', async () => {
    const order = await begun();
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

  it('a second time is given back', async () => {
    const order = await begun();
    await till.organizer.client.post(`/orders/${order.code}/payments`, { offline: true });
    await settle(await said(order));
    await eventually(async () =>
      expect(await till.show(order)).toMatchObject({ status: 'paid', amount_paid: 5_000 }),
    );
    expect(await till.refunds(order)).toMatchObject([{ amount: 2_500, cause: 'second_payment' }]);
  });

  it.each([
    ['a wrong amount', 2_400, 'EUR'],
    ['another currency', 2_500, 'USD'],
  ])('as %s is given back', async (_, amount, currency) => {
    const order = await begun();
    await settle(await said(order, amount, currency));
    expect(await till.show(order)).toMatchObject({ status: 'held' });
    expect(await till.refunds(order)).toMatchObject([{ amount, currency, cause: 'wrong_amount' }]);
  });

  it('for an event that was cancelled meanwhile is given back', async () => {
    const cancelled = await openTill(api);
    const order = await begun(cancelled);
    await api.sql('UPDATE payments SET ask_at = NULL');
    await cancelled.organizer.client.post(`/events/${cancelled.event.id}/cancel`);
    await settle(await said(order));
    expect(await cancelled.refunds(order)).toMatchObject([{ amount: 2_500, cause: 'event_cancelled' }]);
    expect(await cancelled.show(order)).toMatchObject({ status: 'cancelled' });
  });

  it('for an event that is over is given back', async () => {
    const over = await openTill(api);
    const order = await begun(over);
    await api.sql(`UPDATE events SET start_time = '2020-01-01', end_time = '2020-01-02' WHERE id = $1`, [
      over.event.id,
    ]);
    await settle(await said(order));
    expect(await over.refunds(order)).toMatchObject([{ amount: 2_500, cause: 'event_over' }]);
  });

  it('is counted once, however often and from wherever it is told', async () => {
    const order = await begun();
    const values = await said(order);
    await Promise.all(Array.from({ length: 20 }, () => settle(values)));
    expect(await till.show(order)).toMatchObject({ status: 'paid', amount_paid: 2_500 });
    // Without the guard it would count twice, if the ledger let it.
    await expect(settle(values, { isNew: 'true' })).rejects.toThrow('ledger_payment_id_kind_idx');
  });
});
