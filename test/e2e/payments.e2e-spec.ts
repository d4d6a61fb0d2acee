import { Statements } from '../../src/database/statements';
import { OrderCodes } from '../../src/inventory/order-codes';
import { BEGIN_PAYMENTS_GUARDS, beginPayments } from '../../src/inventory/begin-payments.statement';
import { startTestApi, type TestApi } from '../support/api';
import { expectProblem } from '../support/problems';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { MONEY_MISMATCHES, openTill, type Till } from '../support/till';

describe('paying an order through the provider', () => {
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

  const act = async ({ redirect_url }: { redirect_url: string }) =>
    await fetch(redirect_url, { method: 'POST' });

  it('sells it when the answer arrives', async () => {
    const order = await till.place();
    const { status, body } = await till.pay(order);
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        order_code: order.code,
        provider: 'sandbox',
        status: 'succeeded',
        amount: 2_500,
        currency: 'EUR',
      },
    });
    expect(await till.show(order)).toMatchObject({ status: 'paid', amount_paid: 2_500, amount_refunded: 0 });
    expectProblem(await till.pay(order), 409, 'order_not_payable');
  });

  it('says why it failed, and lets the buyer try again', async () => {
    const order = await till.place();
    const declined = await till.pay(order, 'declined');
    expect(declined).toMatchObject({
      status: 201,
      body: { status: 'failed', failure_code: 'card_declined' },
    });
    const unknown = await till.pay(order, 'shells');
    expect(unknown).toMatchObject({
      status: 201,
      body: { status: 'failed', failure_code: 'unknown_method' },
    });
    expect(await till.pay(order)).toMatchObject({ status: 201, body: { status: 'succeeded' } });
    expect((await till.payments(order)).map(({ status }) => status)).toEqual([
      'succeeded',
      'failed',
      'failed',
    ]);
  });

  it('gives the open payment again, and takes the money once the buyer has acted', async () => {
    const order = await till.place();
    const first = await till.pay(order, 'requires_action');
    expect(first).toMatchObject({ status: 201, body: { status: 'requires_action' } });
    const second = await till.pay(order, 'ok');
    expect(second).toMatchObject({ status: 200, body: { id: first.body.id, status: 'requires_action' } });
    await act(second.body);
    await till.until(order, 'paid');
    expect(await till.payments(order)).toMatchObject([{ status: 'succeeded' }]);
  });

  it('makes one payment, however many are begun at once', async () => {
    const order = await till.place();
    const answers = await Promise.all(Array.from({ length: 20 }, () => till.pay(order, 'requires_action')));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
    await act(answers[0]?.body);
    await till.until(order, 'paid');
  });

  it('would make two without the guard, if the index let it', async () => {
    const order = await till.place();
    const id = api.app.get(OrderCodes, { strict: false }).idOf(order.code);
    const { text } = beginPayments({ ...BEGIN_PAYMENTS_GUARDS, isUnpaid: 'true' });
    const asked = JSON.stringify([{ n: 1, order_id: id, method: 'requires_action' }]);
    const begin = () => api.app.get(Statements, { strict: false }).run({ text }, [asked, 'sandbox', 100]);
    await begin();
    await expect(begin()).rejects.toThrow('payments_open_idx');
  });

  it.each(['slow', 'answer_lost', 'event_twice', 'events_reordered', 'event_before_answer'])(
    'comes to the same with %s',
    async (method) => {
      const order = await till.place();
      expect((await till.pay(order, method)).status).toBe(201);
      expect(await till.until(order, 'paid')).toMatchObject({ amount_paid: 2_500, amount_refunded: 0 });
    },
  );

  it('gives a wrong amount back, and leaves the order to be paid', async () => {
    const order = await till.place();
    expect(await till.pay(order, 'wrong_amount')).toMatchObject({
      status: 201,
      body: { status: 'succeeded' },
    });
    expect(await till.untilRefunded(order)).toMatchObject({ status: 'held', amount_paid: 2_499 });
    expect(await till.refunds(order)).toMatchObject([
      { status: 'succeeded', amount: 2_499, cause: 'wrong_amount' },
    ]);
    await till.pay(order);
    expect(await till.show(order)).toMatchObject({
      status: 'paid',
      amount_paid: 4_999,
      amount_refunded: 2_499,
    });
  });

  it('answers a key again, and begins nothing twice', async () => {
    const order = await till.place();
    const key = { 'Idempotency-Key': `pay-${order.code}` };
    const first = await till.pay(order, 'ok', key);
    const second = await till.pay(order, 'ok', key);
    expect(first.status).toBe(201);
    expect(second).toMatchObject({ status: 201, body: first.body });
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expectProblem(await till.pay(order, 'declined', key), 422, 'idempotency_key_reused');

    // The process ended before it could keep its answer.
    const other = await till.place();
    const declined = await till.pay(other, 'declined', { 'Idempotency-Key': `pay-${other.code}` });
    await api.sql('DELETE FROM idempotency_keys');
    const again = await till.pay(other, 'declined', { 'Idempotency-Key': `pay-${other.code}` });
    expect(again).toMatchObject({ status: 201, body: declined.body });
    expect(await till.payments(other)).toHaveLength(1);
  });

  it.each([{}, { payment_method: 'ok' }])(
    'answers a key of an order for nothing again, with %j',
    async (body) => {
      await api.sql('UPDATE ticket_types SET price = 0 WHERE event_id = $1', [till.event.id]);
      const order = await till.place();
      await api.sql('UPDATE ticket_types SET price = 1250 WHERE event_id = $1', [till.event.id]);
      const path = `/orders/${order.code}/payments`;
      const pay = () => till.buyer.client.post(path, body, { 'Idempotency-Key': path });
      const first = await pay();
      expect(first).toMatchObject({ status: 201, body: { status: 'succeeded', amount: 0 } });
      for (let i = 0; i < 2; i++) expect(await pay()).toMatchObject({ status: 201, body: first.body });
      expect(await till.payments(order)).toHaveLength(1);
    },
  );

  describe('where its order ends', () => {
    it('is cancelled at the provider before the order is', async () => {
      const order = await till.place();
      const { body } = await till.pay(order, 'requires_action');
      const cancelled = await till.buyer.client.post(`/orders/${order.code}/cancel`);
      expect(cancelled).toMatchObject({ status: 200, body: { status: 'cancelled' } });
      expect(await till.payments(order)).toMatchObject([{ status: 'failed', failure_code: 'cancelled' }]);
      await act(body);
      expect(await till.show(order)).toMatchObject({ status: 'cancelled', amount_paid: 0 });
    });

    it('keeps the order while its money is on the way', async () => {
      const order = await till.place(1);
      await till.pay(order, 'slow');
      const cancel = `/orders/${order.code}/cancel`;
      expectProblem(await till.buyer.client.post(cancel), 409, 'payment_in_progress');
      const ticket = `/tickets/${order.tickets[0]?.id}/cancel`;
      expectProblem(await till.buyer.client.post(ticket), 409, 'payment_in_progress');
      const cash = await till.organizer.client.post(`/orders/${order.code}/payments`, { offline: true });
      expectProblem(cash, 409, 'payment_in_progress');
      await till.until(order, 'paid');
      expectProblem(await till.buyer.client.post(cancel), 409, 'order_not_cancellable');
    });

    it('makes way for cash', async () => {
      const order = await till.place();
      await till.pay(order, 'requires_action');
      const cash = await till.organizer.client.post(`/orders/${order.code}/payments`, { offline: true });
      expect(cash).toMatchObject({ status: 201, body: { provider: 'offline', status: 'succeeded' } });
      expect(await till.show(order)).toMatchObject({ status: 'paid', amount_paid: 2_500 });
    });

    it('is asked about first when the hold ends', async () => {
      const order = await till.place();
      await till.pay(order, 'requires_action');
      await till.fallDue(order);
      await till.until(order, 'expired');
      expect(await till.payments(order)).toMatchObject([{ status: 'failed', failure_code: 'cancelled' }]);
      expectProblem(await till.pay(order), 409, 'order_not_payable');
    });

    it('takes the money that is on its way then', async () => {
      const order = await till.place();
      await till.pay(order, 'slow');
      await till.fallDue(order);
      // The places stay held, and no other payment can be begun.
      expect(await till.show(order)).toMatchObject({ status: 'held', expires_in_ms: 0 });
      expectProblem(await till.pay(order), 409, 'payment_in_progress');
      const extended = await till.buyer.client.post(`/orders/${order.code}/extend`);
      expectProblem(extended, 409, 'order_not_extendable');
      expect(extended.body.order_status).toBe('held');
      const document = await till.buyer.client.get(`/tickets/${order.tickets[0]?.id}.pdf`);
      expectProblem(document, 409, 'ticket_not_paid');
      expect(document.body.ticket_status).toBe('reserved');
      expect(await till.until(order, 'paid')).toMatchObject({ amount_paid: 2_500, amount_refunded: 0 });
    });
  });
});
