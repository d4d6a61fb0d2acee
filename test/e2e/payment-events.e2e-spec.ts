import { createHmac, randomUUID } from 'node:crypto';
import { PaymentSettlement } from '../../src/inventory/payment-settlement.service';
import { PaymentProvider } from '../../src/payments/payment-provider';
import { ProviderEvents } from '../../src/payments/provider-events.service';
import { RefundSending } from '../../src/payments/refund-sending';
import { eventIn } from '../../src/payments/sandbox/sandbox-answers';
import { ownSandboxSecret } from '../../src/payments/sandbox/sandbox-secret';
import { DataSource } from 'typeorm';
import { startTestApi, type TestApi } from '../support/api';
import type { Answer } from '../support/client';
import { eventually } from '../support/eventually';
import { expectProblem } from '../support/problems';
import { openTill, type Till } from '../support/till';

describe('events of a payment provider', () => {
  let api: TestApi;
  let till: Till;
  let secret: string;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0', RATE_LIMIT_PER_MINUTE: '100000' });
    till = await openTill(api);
    secret = await ownSandboxSecret(api.app.get(DataSource, { strict: false }));
  });
  afterAll(() => api.stop());

  interface Told {
    id: string;
    metadata: { installation: string };
  }
  interface Envelope {
    time?: number;
    key?: string;
    provider?: string;
  }
  async function send(
    body: string,
    { time = Date.now() / 1_000, key = secret, provider = 'sandbox' }: Envelope = {},
  ): Promise<Answer> {
    const t = String(Math.floor(time));
    const v1 = createHmac('sha256', key).update(`${t}.${body}`).digest('hex');
    return await api.client.as('').send('POST', `/payments/events/${provider}`, {
      body,
      headers: { 'Sandbox-Signature': `t=${t},v1=${v1}` },
    });
  }
  const eventOf = (payment: string, metadata: object = {}, id = `evt_${randomUUID()}`) =>
    JSON.stringify({ id, type: 'payment.succeeded', data: { payment, metadata } });
  /** An order whose payment the sandbox has taken the money for, and told nobody. */
  async function untold() {
    const order = await till.place();
    const { body } = await till.pay(order, 'requires_action');
    await eventually(async () =>
      expect(await api.sql('SELECT FROM provider_events WHERE payment_id = $1', [body.id])).toHaveLength(1),
    );
    await api.sql('UPDATE payments SET ask_at = NULL');
    const [row] = await api.sql<Told>(
      `WITH paid AS (
        UPDATE sandbox.payments SET status = 'succeeded' WHERE metadata ->> 'order_code' = $1 RETURNING id, metadata
      ) SELECT * FROM paid`,
      [order.code],
    );
    return { order, ...(row as Told) };
  }

  it('lead to asking it, and not to believing what they say', async () => {
    const { order, id, metadata } = await untold();
    const liar = eventOf(id, metadata).replace('succeeded', 'failed');
    expect((await send(liar)).status).toBe(200);
    expect(await till.show(order)).toMatchObject({ status: 'paid' });
    const waiting = await till.place();
    await till.pay(waiting, 'requires_action');
    const [open] = await api.sql<{ id: string; metadata: object }>(
      `SELECT id, metadata FROM sandbox.payments WHERE metadata ->> 'order_code' = $1`,
      [waiting.code],
    );
    expect((await send(eventOf(open?.id ?? '', open?.metadata))).status).toBe(200);
    expect(await till.show(waiting)).toMatchObject({ status: 'held' });
  });

  it('are kept in the transaction of their effect, and do nothing twice', async () => {
    const { order, id, metadata } = await untold();
    const body = eventOf(id, metadata, 'evt_once');
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(body)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await till.show(order)).toMatchObject({ amount_paid: 2_500 });
    expect(await api.sql(`SELECT FROM provider_events WHERE event_id = 'evt_once'`)).toHaveLength(1);
    // Replayed later: not even asked about.
    await api.sql('DELETE FROM sandbox.payments WHERE id = $1', [id]);
    expect((await send(body)).status).toBe(200);
  });

  it('would be asked about again when replayed, were they not kept', async () => {
    const { id, metadata } = await untold();
    const body = eventOf(id, metadata, 'evt_replayed').replace('payment.succeeded', 'payment.processing');
    expect((await send(body)).status).toBe(200);
    await api.sql('DELETE FROM sandbox.payments WHERE id = $1', [id]);
    expect((await send(body)).status).toBe(200);
    await api.sql(`DELETE FROM provider_events WHERE event_id = 'evt_replayed'`);
    expectProblem(await send(body), 503, 'service_unavailable');
  });

  it('come again where the provider could not be asked about a refund', async () => {
    const order = await till.place();
    await till.pay(order);
    await till.organizer.client.post(`/orders/${order.code}/refunds`, { amount: 400 });
    await eventually(async () => expect(await till.refunds(order)).toMatchObject([{ status: 'succeeded' }]));
    await api.sql(`UPDATE refunds SET status = 'pending' WHERE order_id = (SELECT max(id) FROM orders)`);
    const [row] = await api.sql<Told>(
      `SELECT id, metadata FROM sandbox.payments WHERE metadata ->> 'order_code' = $1`,
      [order.code],
    );
    const { id = '', metadata = {} } = row ?? {};
    const body = eventOf(id, metadata).replace('payment.succeeded', 'refund.updated');
    await api.sql('ALTER TABLE sandbox.refunds RENAME TO refunds_away');
    try {
      expectProblem(await send(body), 503, 'service_unavailable');
      expectProblem(await send(body), 503, 'service_unavailable');
    } finally {
      await api.sql('ALTER TABLE sandbox.refunds_away RENAME TO refunds');
      await api.sql(`UPDATE refunds SET status = 'succeeded' WHERE order_id = (SELECT max(id) FROM orders)`);
    }
    expect((await send(body)).status).toBe(200);
  });

  it('end where they tell of a refund that is known to have succeeded, and no other', async () => {
    const [order, other] = [await till.place(), await till.place()];
    for (const { code } of [order, other]) {
      await till.pay({ code });
      await till.organizer.client.post(`/orders/${code}/refunds`, {});
      await till.untilRefunded({ code });
    }
    const told = async ({ code }: { code: string }) => {
      const [row] = await api.sql<{ payment: string; metadata: { refund_id: string } }>(
        `SELECT payments.id AS payment, payments.metadata || refunds.metadata AS metadata
        FROM sandbox.refunds JOIN sandbox.payments ON payments.id = payment WHERE payments.metadata ->> 'order_code' = $1`,
        [code],
      );
      return row as { payment: string; metadata: { refund_id: string } };
    };
    const { payment, metadata } = await told(order);
    const news = (refund_id: string) =>
      eventOf(payment, { ...metadata, refund_id }).replace('payment.succeeded', 'refund.succeeded');
    // A question about it is not answered from now on.
    await api.sql('DELETE FROM sandbox.refunds WHERE payment = $1', [payment]);
    await api.sql('DELETE FROM sandbox.payments WHERE id = $1', [payment]);
    expect((await send(news(metadata.refund_id))).status).toBe(200);
    const foreign = (await told(other)).metadata.refund_id;
    for (const id of [foreign, '999999']) expectProblem(await send(news(id)), 503, 'service_unavailable');
    await api.sql(`UPDATE refunds SET status = 'pending' WHERE id = $1`, [metadata.refund_id]);
    expectProblem(await send(news(metadata.refund_id)), 503, 'service_unavailable');
    await api.sql(`UPDATE refunds SET status = 'succeeded' WHERE id = $1`, [metadata.refund_id]);
  });

  it('that were forged, changed or are old, are refused unread', async () => {
    const { order, id, metadata } = await untold();
    const body = eventOf(id, metadata);
    expectProblem(await send(body, { key: 'x'.repeat(40) }), 400, 'event_not_authentic');
    expectProblem(await send(body, { time: Date.now() / 1_000 - 3_600 }), 400, 'event_not_authentic');
    expectProblem(await send(body, { time: Date.now() / 1_000 + 3_600 }), 400, 'event_not_authentic');
    expectProblem(await send('{', { key: 'y'.repeat(40) }), 400, 'event_not_authentic');
    const unsigned = await api.client.as('').send('POST', '/payments/events/sandbox', { body });
    expectProblem(unsigned, 400, 'event_not_authentic');
    expectProblem(await api.client.send('POST', '/payments/events/sandbox'), 400, 'event_not_authentic');
    expect(await till.show(order)).toMatchObject({ status: 'held' });
    expect((await send(body)).status).toBe(200);
    expect(await till.show(order)).toMatchObject({ status: 'paid' });
  });

  it('would be taken from anyone and at any time, were their signature not verified', async () => {
    const { order, id, metadata } = await untold();
    const provider = api.app.get(PaymentProvider, { strict: false });
    const believing = Object.create(provider, {
      readEvent: { value: (body: Buffer) => eventIn(body, metadata.installation) },
    }) as PaymentProvider;
    const events = new ProviderEvents(
      believing,
      api.app.get(PaymentSettlement, { strict: false }),
      api.app.get(RefundSending, { strict: false }),
    );
    await events.receive('sandbox', Buffer.from(eventOf(id, metadata)), {});
    expect(await till.show(order)).toMatchObject({ status: 'paid' });
  });

  it('about a payment that is not known are asked for again where it says that it is ours', async () => {
    const { id, metadata } = await untold();
    await api.sql(
      `UPDATE sandbox.payments SET metadata = metadata || '{"payment_id": "999999"}' WHERE id = $1`,
      [id],
    );
    expectProblem(await send(eventOf(id, { ...metadata, payment_id: '999999' })), 503, 'service_unavailable');
    // Of another shop with the same account.
    await api.sql(`UPDATE sandbox.payments SET metadata = '{}' WHERE id = $1`, [id]);
    await api.sql('UPDATE payments SET provider_payment = NULL WHERE provider_payment = $1', [id]);
    const known = await api.sql('SELECT * FROM provider_events');
    expect((await send(eventOf(id))).status).toBe(200);
    expect((await send(eventOf('pay_nowhere'))).status).toBe(200);
    expect(await api.sql('SELECT * FROM provider_events')).toEqual(known);
  });

  it('are bounded, and taken for the provider alone that is configured', async () => {
    const large = await send(JSON.stringify({ id: 'evt_large', padding: 'x'.repeat(256 * 1_024) }));
    expectProblem(large, 413, 'body_too_large');
    const { id: payment, metadata } = await untold();
    expectProblem(await send(eventOf(payment, metadata, 'e'.repeat(256))), 400, 'event_not_authentic');
    expect((await send(eventOf(payment, metadata, 'e'.repeat(255)))).status).toBe(200);
    const { body: problem, status } = await send(eventOf('pay_x'), { provider: 'stripe' });
    expect({ status, code: problem.code }).toEqual({ status: 404, code: 'route_not_found' });
  });

  it('count against no limit, unless they were forged', async () => {
    const burst = await Promise.all(Array.from({ length: 150 }, () => send(eventOf('pay_nowhere'))));
    // Some may be asked for again, where this machine is busy.
    expect(burst.map(({ status }) => status)).not.toContain(429);
    const forged: number[] = [];
    for (let i = 0; i < 102; i++) forged.push((await send('{}', { key: 'z'.repeat(40) })).status);
    expect(new Set(forged)).toEqual(new Set([400, 429]));
    expect((await send(eventOf('pay_nowhere'))).status).toBe(200);
  });
});
