import type { DisputeNews } from '../../src/inventory/disputes';
import { PaymentSettlement } from '../../src/inventory/payment-settlement.service';
import { Reconciliation } from '../../src/payments/reconciliation';
import { TillWatch } from '../../src/payments/till-watch.service';
import { startTestApi, type TestApi } from '../support/api';
import { doctorOf } from '../support/doctor';
import { eventually } from '../support/eventually';
import { expectProblem } from '../support/problems';
import { MONEY_MISMATCHES, openTill, type Till } from '../support/till';

describe('disputes', () => {
  let api: TestApi;
  let till: Till;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    till = await openTill(api);
  });
  afterEach(async () => expect(await api.sql(MONEY_MISMATCHES)).toEqual([]));
  afterAll(() => api.stop());

  /** An order of 25 € that was paid, and what its provider may say of disputes about it. */
  async function paid() {
    const order = await till.place();
    const { body } = await till.pay(order);
    const [row] = await api.sql<{ there: string }>(
      'SELECT provider_payment AS there FROM payments WHERE id = $1',
      [body.id],
    );
    const news = { id: row?.there ?? '', status: 'succeeded' as const, amount: 2_500, currency: 'EUR' };
    const tell = (...disputes: DisputeNews[]) =>
      api.app
        .get(PaymentSettlement, { strict: false })
        .apply('sandbox', { ...news, disputes }, { paymentId: body.id as number });
    const state = async () => {
      const [{ dispute } = { dispute: undefined }] = await api.sql(
        'SELECT dispute FROM payments WHERE id = $1',
        [body.id],
      );
      const entries = await api.sql<{ kind: string; source: string; amount: number }>(
        `SELECT kind, source, amount::int FROM ledger WHERE payment_id = $1 AND kind <> 'charge' ORDER BY id`,
        [body.id],
      );
      return {
        dispute,
        tickets: [...new Set((await till.show(order)).tickets.map(({ status }) => status))],
        entries: entries.map(({ kind, source, amount }) => [kind, source, amount]),
      };
    };
    return { ...order, paymentId: body.id as number, tell, state };
  }
  const dispute = (id: string, status: DisputeNews['status'], amount = 1_000) => ({ id, status, amount });

  it('block the tickets until the last of them has ended, and each counts by itself', async () => {
    const { tell, state } = await paid();
    await tell(dispute('dp_1', 'open'));
    await tell(dispute('dp_1', 'open'), dispute('dp_2', 'open', 500));
    await tell(dispute('dp_1', 'won'), dispute('dp_2', 'open', 500));
    expect(await state()).toEqual({
      dispute: 'open',
      tickets: ['blocked'],
      entries: [
        ['dispute', 'dp_1', -1_000],
        ['dispute', 'dp_2', -500],
        ['dispute_won', 'dp_1', 1_000],
      ],
    });
    await tell(dispute('dp_1', 'won'), dispute('dp_2', 'won', 500));
    expect(await state()).toMatchObject({ dispute: 'won', tickets: ['paid'] });
  });

  it('that are lost stay so, whatever another one comes to', async () => {
    const { tell, state } = await paid();
    await tell(dispute('dp_1', 'lost'));
    await tell(dispute('dp_1', 'lost'), dispute('dp_2', 'open'));
    await tell(dispute('dp_1', 'lost'), dispute('dp_2', 'won'));
    expect(await state()).toMatchObject({
      dispute: 'lost',
      tickets: ['blocked'],
      entries: [
        ['dispute', 'dp_1', -1_000],
        ['dispute', 'dp_2', -1_000],
        ['dispute_won', 'dp_2', 1_000],
      ],
    });
  });

  it('count once, told at once, again, and out of date', async () => {
    const { tell, state } = await paid();
    await Promise.all([1, 2, 3].map(() => tell(dispute('dp_1', 'open'))));
    await Promise.all([1, 2, 3].map(() => tell(dispute('dp_1', 'won'))));
    const ended = await state();
    expect(ended).toEqual({
      dispute: 'won',
      tickets: ['paid'],
      entries: [
        ['dispute', 'dp_1', -1_000],
        ['dispute_won', 'dp_1', 1_000],
      ],
    });
    await tell(dispute('dp_1', 'open'));
    await tell();
    expect(await state()).toEqual(ended);
  });

  it('of before their ids were kept end as what they were counted', async () => {
    const { paymentId, tell, state } = await paid();
    await api.sql(
      `WITH disputed AS (
        UPDATE payments SET dispute = 'open' WHERE id = $1
        RETURNING order_id
      ) INSERT INTO ledger (order_id, payment_id, kind, amount, currency, created_at)
      SELECT order_id, $1, 'dispute', -2500, 'EUR', now() FROM disputed`,
      [paymentId],
    );
    await tell();
    expect(await state()).toMatchObject({ dispute: 'open' });
    await tell(dispute('dp_1', 'won'), dispute('dp_2', 'open'));
    expect(await state()).toMatchObject({
      dispute: 'open',
      entries: [
        ['dispute', '', -2_500],
        ['dispute_won', 'dp_1', 2_500],
        ['dispute', 'dp_2', -1_000],
      ],
    });
  });

  describe('that stood in the way of a refund', () => {
    /** The bank disputes so much, and a refund is refused before we hear of it. */
    async function refused(amount: number, refund: (code: string) => Promise<unknown>) {
      const order = await till.place();
      await till.pay(order);
      await api.sql(
        `UPDATE sandbox.payments SET dispute = 'open', dispute_id = 'dp_' || id, dispute_amount = $2 WHERE metadata ->> 'order_code' = $1`,
        [order.code, amount],
      );
      await refund(order.code);
      await eventually(async () =>
        expect(await till.refunds(order)).toMatchObject([
          { status: 'failed', failure_code: 'payment_disputed' },
        ]),
      );
      return order;
    }
    const all = (code: string) => till.organizer.client.post(`/orders/${code}/refunds`, {});
    /** What reminds of the refunds that failed. */
    async function reminders() {
      await api.sql(`UPDATE reconciliations SET walked_at = now() - interval '1 hour'`);
      const reconciliation = api.app.get(Reconciliation, { strict: false });
      await reconciliation.walk(() => false);
      const { refundsFailed, differences: inBooks } = await api.app.get(TillWatch, { strict: false }).look();
      return {
        differences: (await reconciliation.findDifferences())[0]?.differences.map(({ kind }) => kind),
        refundsFailed,
        inBooks,
        doctor: (await findings()).money?.message,
      };
    }
    const { findings } = doctorOf(() => ({ url: api.settings.DATABASE_URL ?? '' }) as never);
    const lose = async (order: { code: string }) => {
      const [{ id } = { id: '' }] = await api.sql<{ id: string }>(
        `SELECT id FROM sandbox.payments WHERE metadata ->> 'order_code' = $1`,
        [order.code],
      );
      await till.endDispute(order, 'lose');
      await eventually(async () =>
        expect(
          await api.sql(`SELECT FROM payments WHERE dispute = 'lost' AND provider_payment = $1`, [id]),
        ).toHaveLength(1),
      );
    };
    const QUIET = {
      differences: [],
      refundsFailed: 0,
      inBooks: 0,
      doctor: expect.stringMatching(/nothing waits|dispute/),
    };
    const LOUD = {
      differences: ['refund_failed'],
      refundsFailed: 1,
      // Those are counted by themselves: many of them must not hide what else does not agree.
      inBooks: 0,
      doctor: expect.stringContaining('1 refund failed'),
    };

    it('and are lost end what was owed', async () => {
      const order = await refused(2_500, all);
      expect(await reminders()).toEqual(LOUD);
      await lose(order);
      expect(await reminders()).toEqual(QUIET);
    });

    it('and are lost in part leave the refund as it is', async () => {
      const order = await refused(1_000, all);
      await lose(order);
      expect(await reminders()).toEqual(LOUD);
      await api.sql(`UPDATE refunds SET status = 'pending' WHERE status = 'failed'`);
    });

    it('and are lost in part leave the rest to be given back, which is owed where that fails', async () => {
      const order = await till.place();
      await till.pay(order);
      await till.dispute(order, 1_500);
      await eventually(async () => expect((await till.show(order)).tickets[0]?.status).toBe('blocked'));
      await lose(order);
      const refund = (amount: number) =>
        till.organizer.client.post(`/orders/${order.code}/refunds`, { amount });
      expectProblem(await refund(1_001), 409, 'refund_exceeds_payment');
      const switches = (is: boolean) => api.client.post('/sandbox/switches', { balance_exhausted: is });
      await switches(true);
      const { body } = await refund(1_000);
      await eventually(async () => expect(await till.refunds(order)).toMatchObject([{ status: 'failed' }]));
      expect(await reminders()).toEqual(LOUD);
      await switches(false);
      await till.organizer.client.post(`/refunds/${body.id}/retry`);
      await eventually(async () =>
        expect(await till.refunds(order)).toMatchObject([{ status: 'succeeded' }]),
      );
      expectProblem(await refund(1), 409, 'refund_exceeds_payment');
    });

    it('and are lost end the cancellation of its event, and nothing of it is owed', async () => {
      till = await openTill(api);
      const path = `/events/${till.event.id}`;
      const untouched = await till.place();
      await till.pay(untouched);
      expect((await till.dispute(untouched, 2_500)).status).toBe(200);
      await till.until(untouched, 'paid');
      await eventually(async () => expect((await till.show(untouched)).tickets[0]?.status).toBe('blocked'));
      const order = await refused(2_500, () => till.organizer.client.post(`${path}/cancel`));
      const state = async () => (await till.organizer.client.get(`${path}/cancellation`)).body;
      expect(await state()).toMatchObject({ status: 'stuck', refunds_failed: 1 });
      await lose(order);
      expect(await state()).toMatchObject({
        status: 'done',
        refunds_total: 1,
        refunds_done: 1,
        refunds_failed: 0,
      });
      const owed = async () =>
        (await till.organizer.client.get(`${path}/summary`)).body.amount_owed as number;
      expect(await owed()).toBe(2_500);
      await till.endDispute(untouched, 'lose');
      await eventually(async () => expect(await owed()).toBe(0));
    });
  });
});
