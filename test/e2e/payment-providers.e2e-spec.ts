import {
  ForgedEvent,
  PROVIDER_TIMEOUT_MS,
  ProviderRefusal,
  ProviderUnavailable,
  type PaymentProvider,
} from '../../src/payments/payment-provider';
import { eventually } from '../support/eventually';
import { sandboxSubject, stripeSubject, type ProviderSubject } from '../support/provider-subjects';
import { SANDBOX_SECRET } from '../support/sandbox';
import { STRIPE_KEY } from '../support/stripe-server';

describe.each([
  ['the sandbox', sandboxSubject],
  ['Stripe', stripeSubject],
])('%s as a payment provider', (_name, start) => {
  let subject: ProviderSubject;
  let provider: PaymentProvider;
  let lastId = 1_000;

  beforeAll(async () => {
    subject = await start();
    provider = subject.provider;
  });
  afterEach(() => subject.misbehave({}));
  afterAll(() => subject.stop());

  const request = (method?: string, amount = 1_250) => ({
    paymentId: ++lastId,
    orderCode: '0123456789',
    amount,
    currency: 'EUR',
    ...(method !== undefined && { method }),
    returnUrl: 'https://shop.example.com/back',
  });
  const pay = (amount?: number) => provider.create(request(subject.methods.ok, amount));
  const refund = (payment: string, amount: number, refundId = ++lastId, attempt = 1) =>
    provider.refund({ refundId, attempt, payment, amount, currency: 'EUR' });
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'no refusal',
      (error: unknown) => (error instanceof ProviderRefusal ? error.code : error),
    );

  it('takes the money, and keeps whose payment it is', async () => {
    const asked = request(subject.methods.ok);
    const payment = await provider.create(asked);
    expect(payment).toMatchObject({ status: 'succeeded', amount: 1_250, currency: 'EUR' });
    expect(payment.paymentId).toBe(asked.paymentId);
    expect(await provider.get(payment.id)).toEqual(payment);
    expect((await subject.stranger.get(payment.id)).paymentId).toBeUndefined();
  });

  it('makes one payment of one id, however often and at once it is asked', async () => {
    const asked = request(subject.methods.ok);
    const first = await provider.create(asked);
    const again = await Promise.all([1, 2, 3].map(() => provider.create(asked)));
    expect(new Set([first, ...again].map(({ id }) => id)).size).toBe(1);
    expect((await subject.stranger.create(asked)).id).not.toBe(first.id);
    expect(await codeOf(provider.create({ ...asked, amount: 1 }))).toEqual(expect.any(String));
  });

  it('says why it takes no money', async () => {
    const payment = await provider.create(request(subject.methods.declined));
    expect(payment).toMatchObject({ status: 'failed', amount: 1_250, failureCode: expect.any(String) });
    expect(await provider.get(payment.id)).toMatchObject({ status: 'failed' });
    expect(await provider.cancel(payment.id)).toMatchObject({ status: 'cancelled' });
  });

  it('waits for the buyer', async () => {
    const payment = await provider.create(request(subject.methods.requiresAction));
    expect(payment).toMatchObject({
      status: 'requires_action',
      redirectUrl: expect.stringMatching(/^https?:/),
    });
    await subject.act(payment);
    expect(await provider.get(payment.id)).toMatchObject({ status: 'succeeded', amount: 1_250 });
  });

  it('cancels what is open, and leaves what is paid', async () => {
    const open = await provider.create(request(subject.methods.requiresAction));
    expect(await provider.cancel(open.id)).toMatchObject({ status: 'cancelled' });
    expect(await provider.cancel(open.id)).toMatchObject({ status: 'cancelled' });
    const paid = await pay();
    expect(await provider.cancel(paid.id)).toMatchObject({ status: 'succeeded' });
  });

  it('gives money back once for a refund and its try', async () => {
    const { id } = await pay();
    const first = await refund(id, 1_000, 7, 1);
    expect(first).toMatchObject({ payment: id, status: 'succeeded', amount: 1_000, refundId: 7 });
    expect(await refund(id, 1_000, 7, 1)).toEqual(first);
    const second = await refund(id, 250, 8, 1);
    expect(await provider.refundsOf(id)).toEqual([first, second]);
  });

  it('tells of a refund that came back, whose money can then be given back anew', async () => {
    const { id } = await pay();
    const first = await refund(id, 1_250, 9, 1);
    await subject.returnRefunds(id);
    const failed = { ...first, status: 'failed', failureCode: expect.any(String) };
    await eventually(async () => expect(await provider.refundsOf(id)).toEqual([failed]));
    const second = await refund(id, 1_250, 9, 2);
    expect(second).toMatchObject({ status: 'succeeded', refundId: 9 });
    expect(await provider.refundsOf(id)).toEqual([failed, second]);
  });

  it('tells what was given back in all, by whomever', async () => {
    const since = new Date(Date.now() - 1_000);
    const { id } = await pay();
    await refund(id, 400);
    const request = { refundId: 1, attempt: lastId, payment: id, amount: 350, currency: 'EUR' };
    await subject.stranger.refund(request);
    expect(await provider.get(id)).toMatchObject({ refunded: 750 });
    const { payments } = await provider.listSince(since);
    expect(payments.find((payment) => payment.id === id)).toMatchObject({ refunded: 750 });
    await subject.returnRefunds(id);
    await eventually(async () => expect((await provider.get(id)).refunded).toBeLessThan(750));
  });

  it('gives back no more than was taken, however many ask at once', async () => {
    const { id } = await pay(1_000);
    const tries = await Promise.all(Array.from({ length: 20 }, () => codeOf(refund(id, 100))));
    expect(tries.filter((code) => code === 'no refusal')).toHaveLength(10);
    expect((await provider.refundsOf(id)).reduce((sum, { amount }) => sum + amount, 0)).toBe(1_000);
  });

  it('tells of a dispute and its end', async () => {
    const { id } = await pay();
    expect((await provider.get(id)).disputes).toBeUndefined();
    await subject.dispute(id, 1_250);
    const open = { id: expect.any(String), status: 'open', amount: 1_250 };
    expect(await provider.get(id)).toMatchObject({ status: 'succeeded', disputes: [open] });
    expect(await codeOf(refund(id, 100))).toMatch(/disputed/);
    await subject.endDispute(id, 'won');
    expect((await provider.get(id)).disputes).toEqual([{ ...open, status: 'won' }]);
  });

  it('lists the disputes that were opened since then', async () => {
    const since = new Date(Date.now() - 1_000);
    const { id: payment } = await pay();
    await subject.dispute(payment, 500);
    const [{ id } = { id: '' }] = (await provider.get(payment)).disputes ?? [];
    expect(await provider.disputesSince(since)).toContainEqual({ id, payment });
    await subject.endDispute(payment, 'lost');
    expect(await provider.disputesSince(since)).toContainEqual({ id, payment });
  });

  it('tells of a dispute about a part that comes after one that was won, as the last', async () => {
    const { id } = await pay();
    await subject.dispute(id, 1_250);
    const [first] = (await provider.get(id)).disputes ?? [];
    await subject.endDispute(id, 'won');
    await subject.dispute(id, 500);
    const second = (await provider.get(id)).disputes?.at(-1);
    expect(second).toEqual({ id: expect.any(String), status: 'open', amount: 500 });
    expect(second?.id).not.toBe(first?.id);
    await subject.endDispute(id, 'lost');
    expect((await provider.get(id)).disputes?.at(-1)).toEqual({ ...second, status: 'lost' });
  });

  it('lists what was made since then, oldest first and page by page', async () => {
    const since = new Date(Date.now() - 1_000);
    const made: string[] = [];
    for (let i = 0; i < 12; i++)
      made.push(...(await Promise.all(Array.from({ length: 20 }, () => pay()))).map(({ id }) => id));
    const listed: string[] = [];
    for (let after: string | undefined; ;) {
      const { payments, next } = await provider.listSince(since, after);
      listed.push(...payments.map(({ id }) => id));
      if (next === undefined) break;
      expect(next).toBe(payments.at(-1)?.id);
      after = next;
    }
    expect(new Set(listed).size).toBe(listed.length);
    expect([...listed.slice(-made.length)].sort()).toEqual([...made].sort());
    expect((await provider.listSince(new Date(Date.now() + 60_000))).payments).toEqual([]);
  });

  it('refuses what it does not know', async () => {
    const works = [provider.get('pay_0'), provider.cancel('pay_0'), refund('pay_0', 1)];
    // Taken up at once: one that fails before its turn would end the test.
    for (const code of await Promise.all(works.map(codeOf))) expect(code).toEqual(expect.any(String));
  });

  it('is unavailable when it is away, slow, failing or babbling, and tells no secret', async () => {
    const errors: unknown[] = [];
    const fails = async (work: Promise<unknown>) => {
      const error = await work.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ProviderUnavailable);
      errors.push(error);
    };
    const { id } = await pay();
    await fails(subject.unreachable.get(id));
    await fails(subject.unreachable.create(request(subject.methods.ok)));
    await subject.misbehave({ garbage: true });
    await fails(provider.get(id));
    await subject.misbehave({ fails: true });
    await fails(provider.get(id));
    await subject.misbehave({ delayMs: PROVIDER_TIMEOUT_MS + 1_000 });
    const asked = request(subject.methods.ok);
    await fails(provider.create(asked));
    await subject.misbehave({});
    // What it did all the same is found under the same id.
    const payment = await provider.create(asked);
    expect((await provider.create(asked)).id).toBe(payment.id);
    const told = errors.map((error) => `${String(error)} ${(error as Error).stack} ${JSON.stringify(error)}`);
    for (const secret of [SANDBOX_SECRET, STRIPE_KEY]) expect(told.join()).not.toContain(secret);
  });

  describe('reads an event', () => {
    const read = ({ body, headers }: ReturnType<ProviderSubject['event']>) =>
      provider.readEvent(body, headers);

    it('that it signed', () => {
      const event = { id: 'evt_1', payment: 'pay_1', paymentId: 17, isSuccess: true };
      expect([1, 2].map(() => read(subject.event('pay_1', 17)))).toEqual([event, event]);
    });

    it('of a refund, which settles it unless it says that it failed', () => {
      const [done, failed] = ['succeeded', 'failed'].map((status) =>
        read(subject.eventOfRefund('pay_1', 18, status)),
      );
      expect(done).toMatchObject({ payment: 'pay_1', succeededRefundId: 18 });
      expect(failed).toMatchObject({ payment: 'pay_1', succeededRefundId: undefined });
    });

    it('but none of another installation as its own', () => {
      const { body, headers } = subject.event('pay_1', 17);
      expect(subject.stranger.readEvent(body, headers).paymentId).toBeUndefined();
    });

    it('but none that is forged, changed, unsigned or old', () => {
      const { body, headers } = subject.event('pay_1', 17);
      const [name = '', signature = ''] = Object.entries(headers)[0] ?? [];
      const forged = [
        { body, headers: {} },
        { body, headers: { [name]: '' } },
        { body, headers: { [name]: signature.replace(/v1=.{8}/, 'v1=00000000') } },
        { body, headers: { [name]: signature.replace(/t=\d+/, `t=${Math.floor(Date.now() / 1_000) + 1}`) } },
        { body: Buffer.from(body.toString().replace('pay_1', 'pay_2')), headers },
        { body: Buffer.concat([body, Buffer.from(' ')]), headers },
        subject.event('pay_1', 17, new Date(Date.now() - 400_000)),
      ];
      for (const event of forged) expect(() => read(event as never)).toThrow(ForgedEvent);
      expect(() => read(subject.event('pay_1', 17, new Date(Date.now() - 200_000)))).not.toThrow();
    });
  });
});
