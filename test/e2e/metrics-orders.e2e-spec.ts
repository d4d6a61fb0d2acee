import { startTestApi, type TestApi } from '../support/api';
import { eventually } from '../support/eventually';
import { parseExposition, valueOf, type Sample } from '../support/exposition';
import { partyOf, stageBy, type Party } from '../support/orders';

describe('/metrics of orders', () => {
  let api: TestApi;
  let organizer: Party;
  let buyer: Party;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    [organizer, buyer] = [await partyOf(api), await partyOf(api)];
  });
  afterAll(() => api.stop());

  const stage = stageBy(() => api);
  const place = (event: { id: number }, quantity: number, ticket_type_id: number, body = {}, headers = {}) =>
    buyer.client.post(
      '/orders',
      { event_id: event.id, items: [{ ticket_type_id, quantity }], ...body },
      headers,
    );
  const scrape = async () => parseExposition((await api.client.get<string>('/metrics')).body);
  const grown = (name: string, labels: Record<string, string>, [before, after]: [Sample[], Sample[]]) =>
    (valueOf(after, name, labels) ?? NaN) - (valueOf(before, name, labels) ?? NaN);

  it('count what orders become, how large they are and why they are refused', async () => {
    const event = await stage.event(organizer);
    const type = await stage.type(event, { capacity: 20 });
    await stage.code(event, 'once', { percent: 10, uses: 1 });
    const before = await scrape();

    const key = { 'Idempotency-Key': `metrics-${event.id}` };
    const paid = (await place(event, 3, type, { code: 'once' }, key)).body;
    expect((await place(event, 3, type, { code: 'once' }, key)).headers.get('idempotent-replayed')).toBe(
      'true',
    );
    await buyer.client.post(`/orders/${paid.code}/payments`, {});
    await buyer.client.post(`/orders/${paid.code}/payments`, {});
    const cancelled = (await place(event, 2, type)).body;
    await buyer.client.post(`/orders/${cancelled.code}/cancel`);
    await stage.fallDue((await place(event, 1, type)).body.code);
    await eventually(async () =>
      expect(grown('tixxety_orders_total', { status: 'expired' }, [before, await scrape()])).toBe(1),
    );
    await buyer.client.post('/tickets/', { event_id: event.id });
    const refused = [
      await place(event, 1, type, { code: 'once' }),
      await place(event, 10, type),
      await place(event, 10, type),
      await place(event, 11, type),
      await place(event, 1, type, { code: 'nonesuch' }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([409, 201, 409, 422, 422]);
    await organizer.client.post(`/events/${event.id}/cancel`);
    await eventually(async () =>
      expect(grown('tixxety_orders_total', { status: 'cancelled' }, [before, await scrape()])).toBe(4),
    );
    expect((await place(event, 1, type)).status).toBe(409);

    const both: [Sample[], Sample[]] = [before, await scrape()];
    const orders = ['held', 'paid', 'expired'].map((status) =>
      grown('tixxety_orders_total', { status }, both),
    );
    expect(orders).toEqual([5, 1, 1]);
    const tickets = [1, 2, 4, 100].map((le) =>
      grown('tixxety_order_tickets_bucket', { le: String(le) }, both),
    );
    expect([...tickets, grown('tixxety_order_tickets_sum', {}, both)]).toEqual([2, 3, 4, 5, 17]);
    const codes = [
      'code_used_up',
      'ticket_type_sold_out',
      'validation_failed',
      'code_not_valid',
      'event_not_published',
    ];
    for (const code of codes)
      expect([code, grown('tixxety_order_refusals_total', { code }, both)]).toEqual([code, 1]);
    expect(grown('tixxety_order_refusals_total', {}, both)).toBe(codes.length);
  });

  it('count orders that a provider was paid for', async () => {
    const event = await stage.event(organizer);
    const type = await stage.type(event, { price: 1_250 });
    const before = await scrape();
    for (const payment_method of ['ok', 'declined', 'wrong_amount']) {
      const { code } = (await place(event, 1, type)).body;
      await buyer.client.post(`/orders/${code}/payments`, { payment_method });
    }
    expect(grown('tixxety_orders_total', { status: 'paid' }, [before, await scrape()])).toBe(1);
  });
});
