import { setTimeout as sleep } from 'node:timers/promises';
import { startTestApi, type TestApi } from '../support/api';
import { eventually } from '../support/eventually';
import { change } from '../support/order-game';
import { partyOf, stageBy, type OrderBody, type Party } from '../support/orders';
import { expectProblem } from '../support/problems';
import { INVENTORY_MISMATCHES } from '../support/seats';

describe('orders, while the organizer changes what they are of,', () => {
  let api: TestApi;
  let organizer: Party;
  let buyer: Party;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0', MAX_HOLDS_PER_NETWORK_EVENT: '0' });
    [organizer, buyer] = [await partyOf(api), await partyOf(api)];
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(() => api.stop());

  const stage = stageBy(() => api);
  const place = (event: { id: number }, ticket_type_id: number, quantity = 2, body: object = {}) =>
    buyer.client.post('/orders', { event_id: event.id, items: [{ ticket_type_id, quantity }], ...body });
  const patch = (path: string, body: object) => change(organizer.client, path, body);

  it('leave no place beyond a capacity that shrinks to the last one', async () => {
    // Many more than the first batch of orders takes.
    const event = await stage.event(organizer, { total_tickets: 3_000 });
    const quota = await stage.quota(event.id, 'type', 1_500);
    const types = [await stage.type(event, { quotaId: quota }), await stage.type(event)];
    let bought = 0;
    const buy = async (client: number) => {
      for (let n = client, tickets = 1 + (client % 8); tickets > 0; n++) {
        const { status } = await place(event, types[n % 2] as number, tickets);
        if (status === 201) bought += tickets;
        else tickets--;
      }
    };
    /** Asks for less and less, and then for no more than is taken, as often as somebody was quicker. */
    const shrink = async (path: string, field: string, from: number) => {
      for (let [capacity, taken] = [from, 0]; ;) {
        const { status, body } = await patch(path, { [field]: capacity });
        if (status === 200 && (capacity < from - 200 || capacity === taken)) return capacity;
        expect([200, 409]).toContain(status);
        if (status === 409) taken = (body.held as number) + (body.sold as number);
        capacity = status === 200 ? capacity - 150 : taken;
        await sleep(2);
      }
    };
    const [places, some] = await Promise.all([
      shrink(`/events/${event.id}`, 'total_tickets', 3_000),
      shrink(`/quotas/${quota}`, 'capacity', 1_500),
      ...Array.from({ length: 64 }, (_, client) => buy(client)),
    ]);
    for (const type of types) {
      while ((await place(event, type, 1)).status === 201) bought++;
    }
    const [whole, shared] = await api.sql(
      'SELECT capacity, held FROM quotas WHERE event_id = $1 ORDER BY id',
      [event.id],
    );
    expect([whole.capacity, shared.capacity]).toEqual([places, some]);
    expect(whole).toMatchObject({ held: places });
    expect(bought).toBe(places);
    expect(shared.held).toBeLessThanOrEqual(some);
  });

  it('stay good where the window of their type closes, and are paid', async () => {
    const event = await stage.event(organizer);
    const type = await stage.type(event, { salesUntil: new Date(Date.now() + 1_000).toISOString() });
    const { status, body: order } = await place(event, type);
    expect(status).toBe(201);
    const refused = await eventually(async () => {
      const answer = await place(event, type);
      expect(answer.status).toBe(409);
      return answer;
    });
    expectProblem(refused, 409, 'ticket_type_not_on_sale', { pointers: ['/items/0/ticket_type_id'] });
    expect((await buyer.client.get(`/orders/${order.code}`)).body).toMatchObject({ status: 'held' });
    expect((await buyer.client.post(`/orders/${order.code}/payments`, {})).status).toBe(201);
    expect((await buyer.client.get(`/orders/${order.code}`)).body).toMatchObject({
      status: 'paid',
      tickets: [{ status: 'paid' }, { status: 'paid' }],
    });
  });

  it('cost what they did when they were placed, whatever the price and the code are since', async () => {
    const event = await stage.event(organizer);
    const type = await stage.type(event, { price: 333 });
    await stage.code(event, 'half', { percent: 50 });
    const place333 = async () => (await place(event, type, 3, { code: 'half' })).body as OrderBody;
    const order = await place333();
    expect(order).toMatchObject({ subtotal: 999, discount: 501, total: 498 });

    const [{ id: code }] = await api.sql('SELECT id FROM codes WHERE event_id = $1', [event.id]);
    expect((await patch(`/ticket-types/${type}`, { price: 10_000 })).status).toBe(200);
    expect((await patch(`/codes/${code}`, { percent_off: 10 })).status).toBe(200);
    const kept = { items: order.items, subtotal: 999, discount: 501, total: 498 };
    expect((await buyer.client.get(`/orders/${order.code}`)).body).toMatchObject({ ...kept, status: 'held' });
    expect(await place333()).toMatchObject({ subtotal: 30_000, discount: 3_000, total: 27_000 });

    expect((await organizer.client.send('DELETE', `/codes/${code}`)).status).toBe(204);
    const payment = await organizer.client.post(`/orders/${order.code}/payments`, { offline: true });
    expect(payment).toMatchObject({ status: 201, body: { amount: 498, status: 'succeeded' } });
    expect((await buyer.client.get(`/orders/${order.code}`)).body).toMatchObject({
      ...kept,
      status: 'paid',
      amount_paid: 498,
      tickets: [{ price: 166 }, { price: 166 }, { price: 166 }],
    });
  });
});
