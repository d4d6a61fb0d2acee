import { Statements } from '../../src/database/statements';
import { PaymentSettlement } from '../../src/inventory/payment-settlement.service';
import { RELEASE_GUARDS, releaseDueHolds } from '../../src/inventory/release-due-holds.statements';
import { Transactions } from '../../src/database/transactions';
import { SETTLE_PAYMENTS_GUARDS, settlePayments } from '../../src/inventory/settle-payments.statement';
import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { MONEY_MISMATCHES, openTill, type Till } from '../support/till';

const KEPT = `
  SELECT orders.status, amount_paid AS "amountPaid", (SELECT count(*)::int FROM refunds WHERE order_id = orders.id) AS refunds
  FROM payments JOIN orders ON orders.id = order_id WHERE payments.id = $1`;
/** As a cancellation does first. */
const CANCEL = `
  WITH cancelled AS (UPDATE events SET status = 'cancelled' WHERE id = $1)
  UPDATE quotas SET is_closed = true WHERE event_id = $1`;

const REOPEN = `
  WITH published AS (UPDATE events SET status = 'published' WHERE id = $1)
  UPDATE quotas SET is_closed = false WHERE event_id = $1`;

describe('money that comes', () => {
  let database: TestDatabase;
  let api: TestApi;
  let till: Till;

  beforeAll(async () => {
    database = await createDatabase();
    api = await startTestApi({ DATABASE_URL: database.url, MAX_HOLDS_PER_USER_EVENT: '0' });
    till = await openTill(api);
  });
  afterEach(async () => {
    expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]);
    expect(await api.sql(MONEY_MISMATCHES)).toEqual([]);
  });
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  /** An order whose payment waits for the buyer. */
  async function begun(at = till, quantity = 2) {
    const order = await at.place(quantity);
    const { body: payment } = await at.pay(order, 'requires_action');
    return { ...order, payment };
  }

  type Begun = Awaited<ReturnType<typeof begun>>;

  /** What the provider says: the buyer has paid. */
  const said = async ({ payment }: Begun, amount = 2_500, currency = 'EUR', word = 'succeeded') => {
    const [row] = await api.sql<{ payment_id: number; order_id: number; provider_payment: string }>(
      'SELECT id AS payment_id, order_id, provider, provider_payment FROM payments WHERE id = $1',
      [payment.id],
    );
    if (!row) throw new Error('There is no such payment');
    return { ...row, word, amount, currency };
  };
  type Guards = Partial<typeof SETTLE_PAYMENTS_GUARDS>;
  const settle = async (news: object, guards: Guards = {}) => {
    const { text } = settlePayments({ ...SETTLE_PAYMENTS_GUARDS, ...guards });
    const values = [JSON.stringify([{ n: 1, ...news }]), [], 1_000];
    return await api.app.get(Statements, { strict: false }).run({ text }, values);
  };
  /** What would become of an order without a guard: nothing of it stays. */
  const settleWithout = async (order: Begun, news: object, guards: Guards) => {
    const undo = new Error('undone');
    let found: object | undefined;
    const attempt = api.app.get(Transactions, { strict: false }).run(async () => {
      await settle(news, guards);
      [found] = await api.app.get(Statements, { strict: false }).run({ text: KEPT }, [order.payment.id]);
      throw undo;
    });
    await expect(attempt).rejects.toBe(undo);
    return found;
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

  /** A control: money that would be kept for nothing, or for what it may not buy. */
  const expectKept = async (order: Begun, news: object, guards: Guards, amountPaid = 2_500) =>
    expect(await settleWithout(order, news, guards)).toEqual({ status: 'paid', amountPaid, refunds: 0 });

  it('a second time is given back', async () => {
    const order = await begun();
    await till.organizer.client.post(`/orders/${order.code}/payments`, { offline: true });
    // The cash was taken once the payment was cancelled; all the same its money comes.
    const news = await said(order);
    await expectKept(order, news, { isFirst: 'true' }, 5_000);
    await settle(news);
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
    const news = await said(order, amount, currency);
    await expectKept(order, news, { isRight: 'true' }, amount);
    await settle(news);
    expect(await till.show(order)).toMatchObject({ status: 'held' });
    expect(await till.refunds(order)).toMatchObject([{ amount, currency, cause: 'wrong_amount' }]);
  });

  it('for an event that was cancelled meanwhile is given back', async () => {
    const cancelled = await openTill(api);
    const order = await begun(cancelled);
    await api.sql('UPDATE payments SET ask_at = NULL');
    await cancelled.organizer.client.post(`/events/${cancelled.event.id}/cancel`);
    const news = await said(order);
    // Three guards, as each alone sees another stretch of the cancellation.
    await cancelled.until(order, 'cancelled');
    await expectKept(order, news, { isForSale: 'true', isWanted: 'true', isOpen: 'true' });
    await settle(news);
    expect(await cancelled.refunds(order)).toMatchObject([{ amount: 2_500, cause: 'event_cancelled' }]);
    expect(await cancelled.show(order)).toMatchObject({ status: 'cancelled' });
  });

  it('while its event is being cancelled is given back', async () => {
    const cancelled = await openTill(api);
    /** The event is cancelled once the statement has begun, which waits for the order. */
    const settleMeanwhile = async (order: Begun, guards: Guards) => {
      const news = await said(order);
      const lock = await database.begin('SELECT FROM orders WHERE id = $1 FOR UPDATE', [news.order_id]);
      const settled = settle(news, guards);
      await database.untilBlocked();
      await api.sql(CANCEL, [cancelled.event.id]);
      await lock.commit();
      await settled;
    };
    const [kept, refunded] = [await begun(cancelled), await begun(cancelled)];
    await settleMeanwhile(kept, { isOpen: 'true' });
    expect(await cancelled.show(kept)).toMatchObject({ status: 'paid', amount_paid: 2_500 });
    await api.sql(REOPEN, [cancelled.event.id]);
    await settleMeanwhile(refunded, {});
    expect(await cancelled.refunds(refunded)).toMatchObject([{ amount: 2_500, cause: 'event_cancelled' }]);
  });

  it('for an order that its buyer has cancelled is given back', async () => {
    const order = await begun();
    await till.buyer.client.post(`/orders/${order.code}/cancel`);
    await till.until(order, 'cancelled');
    const news = await said(order);
    await expectKept(order, news, { isWanted: 'true' });
    await settle(news);
    expect(await till.refunds(order)).toMatchObject([{ amount: 2_500, cause: 'order_cancelled' }]);
  });

  it('for an event that is over is given back', async () => {
    const over = await openTill(api);
    const order = await begun(over);
    await api.sql(`UPDATE events SET start_time = '2020-01-01', end_time = '2020-01-02' WHERE id = $1`, [
      over.event.id,
    ]);
    const news = await said(order);
    await expectKept(order, news, { isToCome: 'true' });
    await settle(news);
    expect(await over.refunds(order)).toMatchObject([{ amount: 2_500, cause: 'event_over' }]);
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
    const order = await begun();
    await expire(order);
    await end(order, 5 * 3_600);
    await settle(await said(order));
    expect(await till.show(order)).toMatchObject({ status: 'paid', amount_paid: 2_500 });
  });

  it('is there for good, whatever is told after it', async () => {
    const order = await begun();
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
        const news = { id, paymentId, status: 'succeeded', amount: 2_500, currency: 'EUR' } as const;
        await settlement.apply('sandbox', news);
      }),
    );
    const became = await Promise.all(orders.map((order) => small.show(order)));
    expect(became.map(({ status }) => status).sort()).toEqual(['expired', 'paid', 'paid']);
    for (const order of became.filter(({ status }) => status === 'expired'))
      expect(await small.refunds(order)).toMatchObject([{ amount: 2_500, cause: 'places_gone' }]);
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
