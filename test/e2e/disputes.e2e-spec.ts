import type { DisputeNews } from '../../src/inventory/disputes';
import { PaymentSettlement } from '../../src/inventory/payment-settlement.service';
import { startTestApi, type TestApi } from '../support/api';
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
        UPDATE payments SET dispute = 'open', disputes = '{ "": { "status": "open", "amount": 2500 } }' WHERE id = $1
        RETURNING order_id
      ) INSERT INTO ledger (order_id, payment_id, kind, amount, currency, created_at)
      SELECT order_id, $1, 'dispute', -2500, 'EUR', now() FROM disputed`,
      [paymentId],
    );
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
});
