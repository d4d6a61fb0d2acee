import { startStripe, STRIPE_KEY, type StripeServer } from '../../../test/support/stripe-server';
import { StripeProvider } from './stripe.provider';

describe('amounts at Stripe', () => {
  let server: StripeServer;
  let provider: StripeProvider;

  beforeAll(async () => {
    server = await startStripe();
    provider = await StripeProvider.create({
      secretKey: STRIPE_KEY,
      webhookSecrets: [],
      apiBase: server.url,
      installation: 'ours',
    });
  });
  afterAll(() => server.stop());

  it.each([
    ['hundredths of a króna, of which there are none', 'ISK', 500_000],
    ['hundredths of a shilling, of which there are none', 'UGX', 500_000],
    ['yen', 'JPY', 5_000],
    ['cents', 'EUR', 5_000],
    ['fils', 'KWD', 5_000],
    ['whole ariary, of which there are hundredths', 'MGA', 50],
  ])('are %s', async (_unit, currency, there) => {
    const request = {
      paymentId: there,
      orderCode: '0123456789',
      amount: 5_000,
      currency,
      method: 'pm_card_visa',
    };
    const payment = await provider.create({ ...request, paymentId: server.calls.length + 1 });
    expect(server.intents.get(payment.id)?.amount).toBe(there);
    expect(payment).toMatchObject({ status: 'succeeded', amount: 5_000, currency });
    const refund = {
      refundId: 1,
      attempt: server.calls.length,
      payment: payment.id,
      amount: 2_000,
      currency,
    };
    expect(await provider.refund(refund)).toMatchObject({ status: 'succeeded', amount: 2_000 });
    expect(server.calls.at(-1)?.params.amount).toBe(String((there / 5) * 2));
  });

  it.each([
    ['hundredths of an ariary', 'MGA', 5_050],
    ['single fils', 'KWD', 5_005],
  ])('can be no %s', async (_unit, currency, amount) => {
    const calls = server.calls.length;
    const of = { code: 'amount_not_payable' };
    await expect(
      provider.create({ paymentId: 1_000, orderCode: '0123456789', amount, currency }),
    ).rejects.toMatchObject(of);
    await expect(
      provider.refund({ refundId: 1, attempt: 1, payment: 'pi_1', amount, currency }),
    ).rejects.toMatchObject(of);
    expect(server.calls).toHaveLength(calls);
  });

  it('are those of each dispute, the oldest first', async () => {
    const { id } = await provider.create({
      paymentId: server.calls.length + 1,
      orderCode: '0123456789',
      amount: 5_000,
      currency: 'ISK',
      method: 'pm_card_visa',
    });
    server.dispute(id, 'won', 500_000);
    server.dispute(id, 'needs_response', 200_000);
    expect((await provider.get(id)).disputes).toEqual([
      { id: expect.any(String), status: 'won', amount: 5_000 },
      { id: expect.any(String), status: 'open', amount: 2_000 },
    ]);
  });
});
