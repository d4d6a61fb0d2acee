import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { MONEY_MISMATCHES, openTill, type Till } from '../support/till';
import { untoldMoney, type BegunOrder } from '../support/untold-money';

/** As a cancellation does first. */
const CANCEL = `
  WITH cancelled AS (UPDATE events SET status = 'cancelled' WHERE id = $1)
  UPDATE quotas SET is_closed = true WHERE event_id = $1`;

const REOPEN = `
  WITH published AS (UPDATE events SET status = 'published' WHERE id = $1)
  UPDATE quotas SET is_closed = false WHERE event_id = $1`;

describe('money that buys nothing', () => {
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

  const { begun, said, settle, expectKept } = untoldMoney(() => api);

  it('a second time is given back', async () => {
    const order = await begun(till);
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
    const order = await begun(till);
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
    const settleMeanwhile = async (order: BegunOrder, guards: Parameters<typeof settle>[1]) => {
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
    const order = await begun(till);
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
});
