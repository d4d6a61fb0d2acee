import { setTimeout as sleep } from 'node:timers/promises';
import {
  PaymentProvider,
  ProviderUnavailable,
  type ProviderPayment,
} from '../../src/payments/payment-provider';
import { startTestApi, type TestApi } from '../support/api';
import { createBareDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { startReceiver, type Receiver } from '../support/receiver';
import { startSandbox, type TestSandbox } from '../support/sandbox';
import { tokenOf } from '../support/tokens';

describe('the sandbox', () => {
  let database: TestDatabase;
  let receiver: Receiver;
  let sandbox: TestSandbox;
  let lastId = 0;

  beforeAll(async () => {
    database = await createBareDatabase();
    receiver = await startReceiver();
    sandbox = await startSandbox(database.url, receiver.url);
  });
  beforeEach(() => {
    receiver.received.length = 0;
    receiver.status = 200;
  });
  afterAll(async () => {
    await sandbox.stop();
    await receiver.stop();
    await database.drop();
  });

  const request = (method: string, expiresAt?: Date) => ({
    paymentId: ++lastId,
    orderCode: '0123456789',
    amount: 1_250,
    currency: 'EUR',
    method,
    ...(expiresAt && { expiresAt }),
  });
  const pay = (method: string, expiresAt?: Date) => sandbox.provider.create(request(method, expiresAt));
  const statusOf = async ({ id }: ProviderPayment) => (await sandbox.provider.get(id)).status;
  /** The types of the events of a payment, in the order in which they came. */
  const eventsOf = ({ id }: ProviderPayment) =>
    receiver.received
      .map(({ body, headers }) => ({ event: sandbox.provider.readEvent(body, headers), body }))
      .filter(({ event }) => event.payment === id)
      .map(({ body }) => (JSON.parse(body.toString()) as { type: string }).type);
  const told = (payment: ProviderPayment, ...types: string[]) =>
    eventually(() => expect(eventsOf(payment)).toEqual(types));

  it.each([
    ['ok', 'succeeded', 'payment.succeeded'],
    ['declined', 'failed', 'payment.failed'],
    ['requires_action', 'requires_action', 'payment.requires_action'],
    ['event_twice', 'succeeded', 'payment.succeeded', 'payment.succeeded'],
    ['events_reordered', 'succeeded', 'payment.succeeded', 'payment.processing'],
    ['dispute', 'succeeded', 'payment.succeeded', 'dispute.opened'],
  ])('%s: %s, and tells of it', async (method, status, ...types) => {
    const payment = await pay(method);
    expect(payment.status).toBe(status);
    await eventually(() => expect(eventsOf(payment).sort()).toEqual([...types].sort()));
  });

  it('sends what came first last in events_reordered, and the same event in event_twice', async () => {
    const reordered = await pay('events_reordered');
    await told(reordered, 'payment.succeeded', 'payment.processing');
    const twice = await pay('event_twice');
    await told(twice, 'payment.succeeded', 'payment.succeeded');
    const ids = receiver.received
      .slice(-2)
      .map(({ body }) => (JSON.parse(body.toString()) as { id: string }).id);
    expect(ids[0]).toBe(ids[1]);
  });

  it('slow: succeeds after a while, and is not cancelled meanwhile', async () => {
    const payment = await pay('slow');
    expect(payment.status).toBe('processing');
    await expect(sandbox.provider.cancel(payment.id)).rejects.toMatchObject({ code: 'payment_processing' });
    await told(payment, 'payment.processing', 'payment.succeeded');
    expect(await statusOf(payment)).toBe('succeeded');
  });

  it('late: lets itself be cancelled, and succeeds after the hold has ended', async () => {
    const expiresAt = new Date(Date.now() + 500);
    const payment = await pay('late', expiresAt);
    expect(await sandbox.provider.cancel(payment.id)).toMatchObject({ status: 'cancelled' });
    await eventually(async () => expect(await statusOf(payment)).toBe('succeeded'));
    expect(Date.now()).toBeGreaterThan(expiresAt.getTime() + 900);
    await told(payment, 'payment.processing', 'payment.cancelled', 'payment.succeeded');
  });

  it('answer_lost: takes the money once, and its first answer never comes', async () => {
    const asked = request('answer_lost');
    await expect(sandbox.provider.create(asked)).rejects.toThrow(ProviderUnavailable);
    const payment = await sandbox.provider.create(asked);
    expect(payment.status).toBe('succeeded');
    await told(payment, 'payment.succeeded');
  });

  it('event_before_answer: the event has come when the answer does', async () => {
    const payment = await pay('event_before_answer');
    expect(eventsOf(payment)).toEqual(['payment.succeeded']);
  });

  it('wrong_amount: takes another amount', async () => {
    expect((await pay('wrong_amount')).amount).toBe(1_249);
  });

  it('refund_fails: the first try fails, the next one succeeds', async () => {
    const { id: payment } = await pay('refund_fails');
    const ask = (attempt: number) =>
      sandbox.provider.refund({ refundId: 1, attempt, payment, amount: 1_250, currency: 'EUR' });
    expect(await ask(1)).toMatchObject({ status: 'failed', failureCode: 'refund_declined' });
    expect(await ask(1)).toMatchObject({ status: 'failed' });
    expect(await ask(2)).toMatchObject({ status: 'succeeded' });
  });

  it('refund_returns: the first refund succeeds and comes back, the next one stays', async () => {
    const payment = await pay('refund_returns');
    const ask = (attempt: number) =>
      sandbox.provider.refund({ refundId: 3, attempt, payment: payment.id, amount: 1_250, currency: 'EUR' });
    expect(await ask(1)).toMatchObject({ status: 'succeeded' });
    await told(payment, 'payment.succeeded', 'refund.succeeded', 'refund.failed');
    expect(await sandbox.provider.refundsOf(payment.id)).toMatchObject([
      { status: 'failed', failureCode: 'account_closed' },
    ]);
    expect(await ask(2)).toMatchObject({ status: 'succeeded' });
  });

  it('fails refunds while its balance is exhausted', async () => {
    const { id: payment } = await pay('ok');
    const ask = (attempt: number) =>
      sandbox.provider.refund({ refundId: 2, attempt, payment, amount: 1, currency: 'EUR' });
    await sandbox.set({ balance_exhausted: true });
    expect(await ask(1)).toMatchObject({ status: 'failed', failureCode: 'balance_insufficient' });
    await sandbox.set({ balance_exhausted: false });
    expect(await ask(2)).toMatchObject({ status: 'succeeded' });
  });

  it('fails one call in so many, which may have done what it was asked for', async () => {
    await sandbox.set({ fail_one_in: 2 });
    const asked = Array.from({ length: 8 }, () => request('ok'));
    const first = await Promise.allSettled(asked.map((one) => sandbox.provider.create(one)));
    await sandbox.set({ fail_one_in: 0 });
    expect(first.filter(({ status }) => status === 'rejected')).toHaveLength(4);
    const [{ count }] = await database.sql(
      'SELECT count(*)::int FROM sandbox.payments WHERE idempotency_key = ANY ($1)',
      [asked.map(({ paymentId }) => `ours-payment-${paymentId}`)],
    );
    expect(count).toBe(6);
  });

  it('sends an event again until it is taken, also after a restart', async () => {
    receiver.status = 500;
    const payment = await pay('ok');
    await eventually(() => expect(eventsOf(payment).length).toBeGreaterThan(1));
    const slow = await pay('slow');
    await sandbox.stop();
    receiver.received.length = 0;
    receiver.status = 200;
    sandbox = await startSandbox(database.url, receiver.url);
    await eventually(() => expect(eventsOf(payment)).toEqual(['payment.succeeded']));
    await eventually(() => expect(eventsOf(slow)).toContain('payment.succeeded'));
    await eventually(async () => expect(await database.sql('SELECT FROM sandbox.events')).toEqual([]));
  });

  it('keeps one set of books for several processes', async () => {
    const second = await startSandbox(database.url, receiver.url);
    const asked = request('ok');
    const payments = await Promise.all(
      [sandbox, second, sandbox, second].map(({ provider }) => provider.create(asked)),
    );
    expect(new Set(payments.map(({ id }) => id)).size).toBe(1);
    const payment = payments[0] as ProviderPayment;
    const tries = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) =>
        (i % 2 ? sandbox : second).provider.refund({
          refundId: 100 + i,
          attempt: 1,
          payment: payment.id,
          amount: 250,
          currency: 'EUR',
        }),
      ),
    );
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    await sleep(200);
    expect(eventsOf(payment).filter((type) => type === 'payment.succeeded')).toHaveLength(1);
    await second.stop();
  });
});

describe('the sandbox that the API serves', () => {
  let api: TestApi;
  let provider: PaymentProvider;

  beforeAll(async () => {
    api = await startTestApi();
    provider = api.app.get(PaymentProvider, { strict: false });
  });

  const request = (method: string) => ({
    paymentId: 1_000_000,
    orderCode: '0123456789',
    amount: 1_250,
    currency: 'EUR',
    method,
  });

  it('is the provider outside production', async () => {
    expect(provider.name).toBe('sandbox');
    const payment = await provider.create(request('requires_action'));
    expect(payment.redirectUrl).toMatch(new RegExp(`^${api.client.url}/sandbox/actions/[\\w-]{32}$`));
    const page = await fetch(payment.redirectUrl as string);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('method="post"')]);
    expect((await fetch(payment.redirectUrl as string, { method: 'POST' })).status).toBe(200);
    expect(await provider.get(payment.id)).toMatchObject({ status: 'succeeded' });
  });

  it('lets nobody call it without the secret key, and operators see disputes alone', async () => {
    const { create, client } = api;
    const user = client.as(tokenOf((await create.user()).id, 'user'));
    const { id } = (await provider.listSince(new Date(0))).payments[0] as ProviderPayment;
    const calls: [string, string][] = [
      ['GET', `/sandbox/payments/${id}`],
      ['GET', `/sandbox/payments?since=2030-01-01`],
      ['POST', '/sandbox/payments'],
      ['POST', `/sandbox/payments/${id}/cancel`],
      ['POST', '/sandbox/refunds'],
      ['GET', `/sandbox/payments/${id}/refunds`],
    ];
    const operations: [string, string][] = [
      ['GET', '/sandbox/disputes'],
      ['GET', '/sandbox/switches'],
      ['POST', `/sandbox/payments/${id}/dispute`],
      ['POST', '/sandbox/disputes/dp_0/win'],
      ['POST', '/sandbox/disputes/dp_0/lose'],
      ['POST', '/sandbox/switches'],
    ];
    const statuses = (as: typeof client, routes: [string, string][]) =>
      Promise.all(routes.map(async ([method, path]) => (await as.send(method, path)).status));
    for (const nobody of [client.as(''), client.as('x'), user])
      expect(new Set(await statuses(nobody, [...calls, ...operations]))).toEqual(new Set([401]));
    expect(new Set(await statuses(client, calls))).toEqual(new Set([401]));
    expect(await statuses(client, operations)).toEqual([200, 200, 200, 404, 404, 200]);
    expect((await client.send('GET', '/sandbox/actions/guessed')).status).toBe(404);
  });

  it('is not there for another provider, nor in production', async () => {
    const other = await startTestApi({ PAYMENT_PROVIDER: 'none' });
    expect((await other.client.get('/sandbox/disputes')).status).toBe(404);
    expect(other.app.get(PaymentProvider, { strict: false })).toBeUndefined();
    await other.stop();
    const production = await startTestApi({ NODE_ENV: 'production' });
    expect((await production.client.get('/sandbox/disputes')).status).toBe(404);
    await production.stop();
    await expect(startTestApi({ NODE_ENV: 'production', PAYMENT_PROVIDER: 'sandbox' })).rejects.toThrow(
      /^PAYMENT_PROVIDER must not be sandbox in production/,
    );
  });
});
