import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { doctorOf } from '../support/doctor';
import { change } from '../support/order-game';
import { partyOf, stageBy, type OrderBody, type Party } from '../support/orders';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

const { findings } = doctorOf(() => database);

describe('npm run doctor, of orders', () => {
  let api: TestApi;
  let organizer: Party;
  let buyer: Party;

  beforeAll(async () => {
    api = await startTestApi({ DATABASE_URL: database.url, MAX_HOLDS_PER_USER_EVENT: '0' });
    [organizer, buyer] = [await partyOf(api), await partyOf(api)];
  });
  afterAll(() => api.stop());

  const stage = stageBy(() => api);
  const messagesOf = (finding?: { details?: { message: string }[] }) =>
    finding?.details?.map(({ message }) => message) ?? [];

  /** An event with a paid order of three and a held one of two, both with the code that is left out or named. */
  async function sold(
    fields: object = {},
  ): Promise<{ event: { id: number }; paid: OrderBody; held: OrderBody }> {
    const event = await stage.event(organizer, fields);
    const type = await stage.type(event, { capacity: 20 });
    await stage.code(event, 'early', { percent: 10, uses: 5 });
    const place = async (quantity: number) =>
      (
        await buyer.client.post('/orders', {
          event_id: event.id,
          items: [{ ticket_type_id: type, quantity }],
          code: 'early',
        })
      ).body as OrderBody;
    const [paid, held] = [await place(3), await place(2)];
    expect((await buyer.client.post(`/orders/${paid.code}/payments`, {})).status).toBe(201);
    return { event, paid, held };
  }

  it('finds counters of types and of the uses of codes that are wrong, and repairs them', async () => {
    const { event } = await sold();
    expect(await findings()).toMatchObject({
      code: 0,
      seats: { status: 'ok' },
      limits: { status: 'ok' },
      orphans: { status: 'ok' },
    });
    await api.sql(`UPDATE quotas SET name = 'Stalls', held = 4 WHERE event_id = $1 AND kind = 'type'`, [
      event.id,
    ]);
    await api.sql(`UPDATE quotas SET sold = 0 WHERE event_id = $1 AND kind = 'code'`, [event.id]);
    const [type] = await api.sql(`SELECT id FROM quotas WHERE event_id = $1 AND kind = 'type'`, [event.id]);
    const { code, seats } = await findings();
    expect({ code, messages: messagesOf(seats) }).toEqual({
      code: 1,
      messages: [
        `event ${event.id}: quota ${type.id} "Stalls" has held = 4 and 2 reserved tickets`,
        `event ${event.id}: code "early" has sold = 0 and 1 paid order`,
      ],
    });
    expect(await findings({}, true)).toMatchObject({ code: 0 });
    expect(await stage.counters(event)).toEqual([
      { kind: 'code', held: 1, sold: 1, is_closed: false },
      { kind: 'event', held: 2, sold: 3, is_closed: false },
      { kind: 'type', held: 2, sold: 3, is_closed: false },
    ]);
  });

  it('finds users above the limit of an event', async () => {
    const { event, held, paid } = await sold({ max_tickets_per_user: 6 });
    expect((await findings()).limits).toMatchObject({ status: 'ok' });
    await api.sql('UPDATE events SET max_tickets_per_user = 4 WHERE id = $1', [event.id]);
    const { code, limits } = await findings();
    expect({ code, status: limits?.status, messages: messagesOf(limits) }).toEqual({
      code: 0,
      status: 'warning',
      messages: [`event ${event.id}: user ${buyer.id} has 5 tickets, and 4 are allowed`],
    });
    // A ticket that is void leaves room for another.
    await organizer.client.post(`/tickets/${paid.tickets[0]?.id}/void`);
    expect((await findings()).limits).toMatchObject({ status: 'ok' });
    await buyer.client.post(`/orders/${held.code}/cancel`);
  });

  it('finds a code that allows another number of uses than its counter', async () => {
    const { event } = await sold();
    await api.sql('UPDATE codes SET max_uses = 7 WHERE event_id = $1', [event.id]);
    const { code, limits } = await findings();
    expect({ code, status: limits?.status, messages: messagesOf(limits) }).toEqual({
      code: 1,
      status: 'wrong',
      messages: [`event ${event.id}: code "early" allows 7 uses, its counter 5`],
    });
    const [{ id }] = await api.sql('SELECT id FROM codes WHERE event_id = $1', [event.id]);
    expect((await change(organizer.client, `/codes/${id}`, { max_uses: 7 })).status).toBe(200);
    expect(await findings()).toMatchObject({ code: 0, limits: { status: 'ok' } });
  });

  it.each([
    [
      '1 order without its code',
      `UPDATE orders SET code_id = 999999 WHERE id = $1`,
      'UPDATE orders SET code_id = (SELECT id FROM codes WHERE event_id = $2) WHERE id = $1',
    ],
    [
      '1 order without a quota to give its places back to',
      `UPDATE orders SET quota_ids[2] = 999999 WHERE id = $1`,
      `UPDATE orders SET quota_ids[2] = (SELECT id FROM quotas WHERE event_id = $2 AND kind = 'type') WHERE id = $1`,
    ],
    [
      '1 order with more or fewer tickets than places',
      `UPDATE orders SET places = places + 1 WHERE id = $1`,
      'UPDATE orders SET places = places - 1 WHERE id = $1',
    ],
    [
      '1 order without a ticket type',
      'UPDATE orders SET type_ids = ARRAY[999999] WHERE id = $1',
      'UPDATE orders SET type_ids = ARRAY[(SELECT id FROM ticket_types WHERE event_id = $2)] WHERE id = $1',
    ],
    [
      '1 payment without an order',
      'UPDATE payments SET order_id = 999999999 WHERE event_id = $2',
      `UPDATE payments SET order_id = (SELECT id FROM orders WHERE event_id = $2 AND status = 'paid') WHERE event_id = $2`,
    ],
    [
      '1 code without an event',
      'UPDATE codes SET event_id = 999999999 WHERE event_id = $2',
      'UPDATE codes SET event_id = $2 WHERE event_id = 999999999',
    ],
    [
      '1 quota without an event',
      `UPDATE quotas SET event_id = 999999999 WHERE event_id = $2 AND kind = 'code'`,
      'UPDATE quotas SET event_id = $2 WHERE event_id = 999999999',
    ],
  ])('finds %s', async (message, breaking, mending) => {
    const { event } = await sold();
    const [{ id }] = await api.sql(`SELECT id FROM orders WHERE event_id = $1 AND status = 'held'`, [
      event.id,
    ]);
    const fill = (text: string) => text.replaceAll('$1', String(id)).replaceAll('$2', String(event.id));
    await api.sql(fill(breaking));
    const { code, orphans } = await findings();
    await api.sql(fill(mending));
    expect({ code, status: orphans?.status, messages: messagesOf(orphans) }).toEqual({
      code: 1,
      status: 'wrong',
      messages: [expect.stringMatching(new RegExp(`^${message}, \\w+ \\d+$`))],
    });
    expect((await findings()).orphans).toMatchObject({ status: 'ok' });
  });
});
