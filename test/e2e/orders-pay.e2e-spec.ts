import { startTestApi, type TestApi } from '../support/api';
import { INSTANT } from '../support/bookings';
import { partyOf, stageBy, type Party } from '../support/orders';
import { expectProblem } from '../support/problems';
import { INVENTORY_MISMATCHES } from '../support/seats';

describe('payments of orders', () => {
  let api: TestApi;
  let organizer: Party;
  let buyer: Party;
  let stranger: Party;
  let event: { id: number };
  let free: number;
  let priced: number;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0', PAYMENT_PROVIDER: 'none' });
    [organizer, buyer, stranger] = [await partyOf(api), await partyOf(api), await partyOf(api)];
    event = await stage.event(organizer, { total_tickets: 1_000 });
    [free, priced] = [await stage.type(event), await stage.type(event, { price: 1_250 })];
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(() => api.stop());

  const stage = stageBy(() => api);
  const place = async (ticket_type_id: number, quantity = 2) => {
    const { body } = await buyer.client.post('/orders', {
      event_id: event.id,
      items: [{ ticket_type_id, quantity }],
    });
    return body as { code: string; tickets: { id: number }[] };
  };
  const pay = ({ code }: { code: string }, by = buyer, body: object = {}, headers = {}) =>
    by.client.post(`/orders/${code}/payments`, body, headers);
  const show = async ({ code }: { code: string }) => (await buyer.client.get(`/orders/${code}`)).body;

  it('sells an order that costs nothing, for its buyer', async () => {
    const order = await place(free, 3);
    const { status, body } = await pay(order);
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(Number),
      order_code: order.code,
      provider: 'none',
      status: 'succeeded',
      amount: 0,
      currency: 'EUR',
      reference: null,
      created_at: expect.stringMatching(INSTANT),
    });
    const paid = await show(order);
    expect(paid).toMatchObject({ status: 'paid', paid_at: body.created_at, amount_paid: 0 });
    expect(paid.expires_in_ms).toBeUndefined();
    expect((paid.tickets as { status: string }[]).map((each) => each.status)).toEqual([
      'paid',
      'paid',
      'paid',
    ]);
    const listed = await buyer.client.get(`/orders/${order.code}/payments`);
    expect(listed.body).toEqual([body]);
  });

  it('refuses a second time, and says that it is paid', async () => {
    const order = await place(free);
    const { body: payment } = await pay(order);
    const refused = await pay(order);
    expectProblem(refused, 409, 'order_not_payable');
    expect(refused.body).toMatchObject({ order_status: 'paid', paid_at: payment.created_at });
  });

  it('refuses a price: there is no provider', async () => {
    const order = await place(priced);
    const refused = await pay(order);
    expectProblem(refused, 409, 'order_not_payable');
    expect(refused.body.order_status).toBe('held');
    expect(await show(order)).toMatchObject({ status: 'held', amount_paid: 0 });
  });

  it('takes the word of the organizer for cash, not that of the buyer', async () => {
    const order = await place(priced);
    const offline = { offline: true, reference: 'Receipt 17' };
    expectProblem(await pay(order, buyer, offline), 403, 'forbidden');
    expectProblem(await pay(order, stranger, offline), 404, 'order_not_found');
    const { status, body } = await pay(order, organizer, offline);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      provider: 'offline',
      amount: 2_500,
      currency: 'EUR',
      reference: 'Receipt 17',
    });
    expect(await show(order)).toMatchObject({ status: 'paid', total: 2_500, amount_paid: 2_500 });
    expectProblem(await pay(order, organizer, offline), 409, 'order_not_payable');
    const admin = { id: 0, client: api.client };
    expect((await pay(await place(priced), admin, { offline: true })).status).toBe(201);
  });

  it('is for the buyer where it costs nothing', async () => {
    const order = await place(free);
    expectProblem(await pay(order, organizer), 403, 'forbidden');
    expectProblem(await pay(order, stranger), 404, 'order_not_found');
    expect(await show(order)).toMatchObject({ status: 'held' });
    expect((await pay(order, { id: 0, client: api.client })).status).toBe(201);
  });

  it('refuses an order that has ended, and codes that no order has', async () => {
    const order = await place(free);
    await stage.fallDue(order.code);
    const refused = await pay(order);
    expectProblem(refused, 409, 'order_not_payable');
    expect(refused.body.order_status).toBe('expired');
    for (const code of ['0000000000', 'ZZZZZZZZZZ', 'nothing', '1']) {
      expectProblem(await pay({ code }), 404, 'order_not_found');
    }
  });

  it.each([
    [{ offline: 'yes' }, ['/offline']],
    [{ reference: 'x' }, ['/reference']],
    [{ offline: true, reference: '' }, ['/reference']],
    [{ amount: 0 }, ['/amount']],
  ])('refuses %j', async (body, pointers) => {
    expectProblem(await pay(await place(free), organizer, body), 422, 'validation_failed', { pointers });
  });

  it('sells an order once, however many pay it at once and from two processes', async () => {
    const other = await startTestApi({
      DATABASE_URL: api.settings.DATABASE_URL ?? '',
      PAYMENT_PROVIDER: 'none',
    });
    try {
      const order = await place(free);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          (i % 2 ? other.client : api.client).post(`/orders/${order.code}/payments`, {}),
        ),
      );
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
      expect((await buyer.client.get(`/orders/${order.code}/payments`)).body).toHaveLength(1);
    } finally {
      await other.stop();
    }
  });

  it('answers a key again byte for byte', async () => {
    const [own, cash] = [await place(free), await place(priced)];
    for (const [order, by, body] of [
      [own, buyer, {}],
      [cash, organizer, { offline: true, reference: 'Receipt 18' }],
    ] as const) {
      const key = { 'Idempotency-Key': `pay-${order.code}` };
      const [first, second] = [await pay(order, by, body, key), await pay(order, by, body, key)];
      expect(first.status).toBe(201);
      expect(second).toMatchObject({ status: 201, body: first.body });
      expect(second.headers.get('idempotent-replayed')).toBe('true');
    }
    const key = { 'Idempotency-Key': `foreign-${own.code}` };
    for (let i = 0; i < 2; i++) {
      expect(await pay(own, organizer, {}, key)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
  });

  it('leaves a ticket of several, or with a price, to its order', async () => {
    const several = await place(free);
    const ticket = (order: { tickets: { id: number }[] }) => `/tickets/${order.tickets[0]?.id}`;
    for (const verb of ['pay', 'cancel']) {
      const refused = await buyer.client.post(`${ticket(several)}/${verb}`);
      expectProblem(refused, 409, 'part_of_an_order');
      expect(refused.body.order_code).toBe(several.code);
    }
    const one = await place(priced, 1);
    const refused = await buyer.client.post(`${ticket(one)}/pay`);
    expectProblem(refused, 402, 'payment_required');
    expect(refused.body.order_code).toBe(one.code);
    const single = await place(free, 1);
    expect((await buyer.client.post(`${ticket(single)}/pay`)).status).toBe(200);
    expect(await show(single)).toMatchObject({ status: 'paid' });
  });

  describe('GET /events/{event_id}/payments', () => {
    const list = (by: Party, query = '') => by.client.get(`/events/${event.id}/payments${query}`);

    it("lists the event's payments for its organizer, newest first", async () => {
      const order = await place(free);
      const { body: payment } = await pay(order);
      const { body } = await list(organizer);
      expect(body[0]).toEqual(payment);
      const first = await list(organizer, '?limit=1');
      const next = /<(.*)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
      expect((await organizer.client.get(next)).body).toEqual([body[1]]);
    });

    it('is for the organizer alone', async () => {
      for (const by of [buyer, stranger]) expectProblem(await list(by), 403, 'forbidden');
      expect((await list({ id: 0, client: api.client })).status).toBe(200);
    });
  });
});
