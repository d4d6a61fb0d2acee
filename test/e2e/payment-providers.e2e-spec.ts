import { createHmac } from 'node:crypto';
import Stripe from 'stripe';
import {
  ForgedEvent,
  PROVIDER_TIMEOUT_MS,
  ProviderRefusal,
  ProviderUnavailable,
  type PaymentProvider,
  type ProviderPayment,
} from '../../src/payments/payment-provider';
import { SandboxProvider } from '../../src/payments/sandbox/sandbox.provider';
import { StripeProvider } from '../../src/payments/stripe/stripe.provider';
import { createBareDatabase, type TestDatabase } from '../support/databases';
import { freePort } from '../support/redis';
import { SANDBOX_SECRET, startSandbox, type TestSandbox } from '../support/sandbox';
import { startStripe, STRIPE_KEY, type StripeServer } from '../support/stripe-server';
import { EVENT } from '../support/stripe-shapes';

/** What a suite needs of a provider beside the port. */
interface Subject {
  provider: PaymentProvider;
  /** The same account, as another installation sees it. */
  stranger: PaymentProvider;
  /** As if it were out of reach. */
  unreachable: PaymentProvider;
  methods: Record<'ok' | 'declined' | 'requiresAction' | 'disputed', string>;
  /** The buyer does what is asked of them. */
  act(payment: ProviderPayment): Promise<void> | void;
  dispute(payment: string): Promise<void> | void;
  endDispute(payment: string, as: 'won' | 'lost'): Promise<void> | void;
  misbehave(how: { delayMs?: number; garbage?: boolean; fails?: boolean }): Promise<void>;
  /** An event as it arrives. */
  event(payment: string, ourId: number, at?: Date): { body: Buffer; headers: Record<string, string> };
  stop(): Promise<void>;
}

const WEBHOOK_SECRETS = ['whsec_the-one-that-goes-away', 'whsec_the-one-that-comes-in'];

async function sandboxSubject(): Promise<Subject> {
  const database: TestDatabase = await createBareDatabase();
  const sandbox: TestSandbox = await startSandbox(database.url, 'http://127.0.0.1:9/');
  const nowhere = `http://127.0.0.1:${await freePort()}/sandbox`;
  const disputeOf = async (payment: string) =>
    ((await sandbox.client.get('/disputes')).body.data as { id: string; payment: string }[]).find(
      (dispute) => dispute.payment === payment,
    )?.id;
  return {
    provider: sandbox.provider,
    stranger: new SandboxProvider(() => sandbox.url, SANDBOX_SECRET, 'theirs'),
    unreachable: new SandboxProvider(() => nowhere, SANDBOX_SECRET, 'ours'),
    methods: { ok: 'ok', declined: 'declined', requiresAction: 'requires_action', disputed: 'dispute' },
    act: async ({ redirectUrl = '' }) => {
      await fetch(redirectUrl, { method: 'POST', redirect: 'manual' });
    },
    dispute: async (payment) => {
      await sandbox.client.post(`/payments/${payment}/dispute`);
    },
    endDispute: async (payment, as) => {
      await sandbox.client.post(`/disputes/${await disputeOf(payment)}/${as === 'won' ? 'win' : 'lose'}`);
    },
    misbehave: ({ delayMs = 0, garbage = false, fails = false }) =>
      sandbox.set({ delay_ms: delayMs, answers_garbage: garbage, fail_one_in: fails ? 1 : 0 }),
    event: (payment, ourId, at = new Date()) => {
      const metadata = { installation: 'ours', payment_id: String(ourId) };
      const body = JSON.stringify({ id: 'evt_1', type: 'payment.succeeded', data: { payment, metadata } });
      const time = Math.floor(at.getTime() / 1_000);
      const signature = createHmac('sha256', SANDBOX_SECRET).update(`${time}.${body}`).digest('hex');
      return { body: Buffer.from(body), headers: { 'sandbox-signature': `t=${time},v1=${signature}` } };
    },
    stop: async () => {
      await sandbox.stop();
      await database.drop();
    },
  };
}

async function stripeSubject(): Promise<Subject> {
  const server: StripeServer = await startStripe();
  const of = (installation: string, apiBase = server.url) =>
    StripeProvider.create({ secretKey: STRIPE_KEY, webhookSecrets: WEBHOOK_SECRETS, apiBase, installation });
  return {
    provider: await of('ours'),
    stranger: await of('theirs'),
    unreachable: await of('ours', `http://127.0.0.1:${await freePort()}`),
    methods: {
      ok: 'pm_card_visa',
      declined: 'pm_card_chargeDeclined',
      requiresAction: 'pm_card_threeDSecure2Required',
      disputed: 'pm_card_createDispute',
    },
    act: ({ id }) => {
      server.confirm(id);
    },
    dispute: (payment) => {
      server.dispute(payment, 'needs_response');
    },
    endDispute: (payment, as) => {
      server.dispute(payment, as);
    },
    misbehave: ({ delayMs = 0, garbage = false, fails = false }) => {
      server.faults = { delayMs };
      if (garbage) server.faults.answer = { status: 200, body: '<html>Service temporarily' };
      if (fails) server.faults.answer = { status: 500, body: '{"error":{"type":"api_error"}}' };
      return Promise.resolve();
    },
    event: (payment, ourId, at = new Date()) => {
      const metadata = { installation: 'ours', payment_id: String(ourId) };
      const object = { object: 'payment_intent', id: payment, metadata };
      const payload = JSON.stringify({ ...EVENT, id: 'evt_1', data: { object } });
      const signature = new Stripe(STRIPE_KEY).webhooks.generateTestHeaderString({
        payload,
        secret: WEBHOOK_SECRETS[1] as string,
        timestamp: Math.floor(at.getTime() / 1_000),
      });
      return { body: Buffer.from(payload), headers: { 'stripe-signature': signature } };
    },
    stop: () => server.stop(),
  };
}

describe.each([
  ['the sandbox', sandboxSubject],
  ['Stripe', stripeSubject],
])('%s as a payment provider', (_name, start) => {
  let subject: Subject;
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

  it('gives back no more than was taken, however many ask at once', async () => {
    const { id } = await pay(1_000);
    const tries = await Promise.all(Array.from({ length: 20 }, () => codeOf(refund(id, 100))));
    expect(tries.filter((code) => code === 'no refusal')).toHaveLength(10);
    expect((await provider.refundsOf(id)).reduce((sum, { amount }) => sum + amount, 0)).toBe(1_000);
  });

  it('tells of a dispute and its end', async () => {
    const { id } = await pay();
    expect((await provider.get(id)).dispute).toBeUndefined();
    await subject.dispute(id);
    expect(await provider.get(id)).toMatchObject({ status: 'succeeded', dispute: 'open' });
    expect(await codeOf(refund(id, 100))).toMatch(/disputed/);
    await subject.endDispute(id, 'won');
    expect((await provider.get(id)).dispute).toBe('won');
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
    const read = ({ body, headers }: ReturnType<Subject['event']>) => provider.readEvent(body, headers);

    it('that it signed', () => {
      const event = { id: 'evt_1', payment: 'pay_1', paymentId: 17, isSuccess: true };
      expect([1, 2].map(() => read(subject.event('pay_1', 17)))).toEqual([event, event]);
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
