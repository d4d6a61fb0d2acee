import { startTestApi, type TestApi } from '../support/api';
import { INSTANT, UNKNOWN } from '../support/bookings';
import { partyOf, stageBy, type Party, type TicketBody } from '../support/orders';
import { expectProblem } from '../support/problems';
import { INVENTORY_MISMATCHES } from '../support/seats';

const CODE = /^[0-9A-HJKMNP-TV-Z]{10}$/;

describe('POST /orders', () => {
  let api: TestApi;
  let organizer: Party;
  let buyer: Party;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    [organizer, buyer] = [await partyOf(api), await partyOf(api)];
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(() => api.stop());

  const stage = stageBy(() => api);
  const place = (body: object) => buyer.client.post('/orders', body);
  const count = async () => (await api.sql('SELECT count(*)::int AS n FROM orders'))[0].n as number;

  it('holds tickets of several types at once, and shows all there is', async () => {
    const event = await stage.event(organizer);
    const [stalls, box] = [
      await stage.type(event, { name: 'Stalls', price: 1_250, capacity: 10 }),
      await stage.type(event, { name: 'Box', price: 333 }),
    ];
    await stage.code(event, 'early', { percent: 50 });
    const { status, headers, body } = await place({
      event_id: event.id,
      items: [
        { ticket_type_id: stalls, quantity: 2, attendees: [{ name: 'Ada', email: 'ada@example.com' }] },
        { ticket_type_id: box, quantity: 1, attendees: [{ name: 'Charles' }] },
      ],
      code: ' Early',
      contact: { name: 'Ada Lovelace', email: 'ada@example.com' },
      metadata: { cart: '8f3a' },
    });
    expect(status).toBe(201);
    expect(body.code).toMatch(CODE);
    expect(headers.get('location')).toBe(`/orders/${body.code}`);
    const ticket = {
      user_id: buyer.id,
      event_id: event.id,
      order_code: body.code,
      status: 'reserved',
      created_at: body.created_at,
      expires_at: body.expires_at,
      expires_in_ms: 120_000,
      paid_at: null,
    };
    const [id] = (body.tickets as TicketBody[]).map((each) => each.id) as [number];
    expect(body).toEqual({
      code: body.code,
      user_id: buyer.id,
      event_id: event.id,
      status: 'held',
      items: [
        { ticket_type_id: stalls, name: 'Stalls', quantity: 2, unit_price: 1_250, total: 2_500 },
        { ticket_type_id: box, name: 'Box', quantity: 1, unit_price: 333, total: 333 },
      ],
      subtotal: 2_833,
      discount: 1_417,
      total: 1_416,
      currency: 'EUR',
      amount_paid: 0,
      amount_refunded: 0,
      created_at: expect.stringMatching(INSTANT),
      expires_at: expect.stringMatching(INSTANT),
      expires_in_ms: 120_000,
      paid_at: null,
      contact: { name: 'Ada Lovelace', email: 'ada@example.com' },
      metadata: { cart: '8f3a' },
      tickets: [
        {
          ...ticket,
          id,
          ticket_type_id: stalls,
          price: 625,
          attendee: { name: 'Ada', email: 'ada@example.com' },
        },
        { ...ticket, id: id + 1, ticket_type_id: stalls, price: 625, attendee: null },
        {
          ...ticket,
          id: id + 2,
          ticket_type_id: box,
          price: 166,
          attendee: { name: 'Charles', email: null },
        },
      ],
    });
    expect(Date.parse(body.expires_at) - Date.parse(body.created_at)).toBe(120_000);
    const shown = await buyer.client.get(`/orders/${body.code}`);
    const left = { expires_in_ms: expect.any(Number) };
    expect(shown).toMatchObject({
      status: 200,
      body: {
        ...body,
        ...left,
        tickets: (body.tickets as TicketBody[]).map((each) => ({ ...each, ...left })),
      },
    });
    expect(await stage.counters(event)).toEqual([
      { kind: 'code', held: 1, sold: 0, is_closed: false },
      { kind: 'event', held: 3, sold: 0, is_closed: false },
      { kind: 'type', held: 2, sold: 0, is_closed: false },
    ]);
    expect((await buyer.client.get(`/tickets/${id}`)).body).toMatchObject({ ...ticket, ...left });
  });

  it('takes what is left out for nothing, and answers with a slash, too', async () => {
    const event = await stage.event(organizer);
    const type = await stage.type(event);
    const { status, body } = await buyer.client.post('/orders/', {
      event_id: event.id,
      items: [{ ticket_type_id: type, quantity: 1 }],
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ subtotal: 0, discount: 0, total: 0, contact: null, metadata: {} });
  });

  it('is placed for somebody else by an admin alone', async () => {
    const event = await stage.event(organizer);
    const items = [{ ticket_type_id: await stage.type(event), quantity: 1 }];
    const ordered = await api.client.post('/orders', { user_id: buyer.id, event_id: event.id, items });
    expect(ordered).toMatchObject({ status: 201, body: { user_id: buyer.id } });
    expectProblem(await place({ user_id: organizer.id, event_id: event.id, items }), 404, 'user_not_found');
  });

  describe('refuses, and holds nothing,', () => {
    let event: { id: number };
    let free: number;
    let last: number;

    beforeAll(async () => {
      event = await stage.event(organizer);
      free = await stage.type(event);
      last = await stage.type(event, { capacity: 1 });
    });

    const refused = async (body: object, status: number, code: string, pointers?: string[]) => {
      const [before, counters] = [await count(), await stage.counters(event)];
      const answer = await place({ event_id: event.id, ...body });
      expectProblem(answer, status, code, pointers && { pointers });
      expect([await count(), await stage.counters(event)]).toEqual([before, counters]);
    };
    const item = (fields: object = {}) => ({ ticket_type_id: free, quantity: 1, ...fields });

    it.each<[string, (item: (fields?: object) => object) => object, string[]]>([
      ['no items', () => ({}), ['/items']],
      ['an empty list', () => ({ items: [] }), ['/items']],
      ['no list', () => ({ items: 'all' }), ['/items']],
      ['a list of nothing', () => ({ items: [null] }), ['/items', '/items/0']],
      ['a list of lists', () => ({ items: [[]] }), ['/items']],
      ['no type', (i) => ({ items: [i({ ticket_type_id: undefined })] }), ['/items/0/ticket_type_id']],
      ['a quantity of none', (i) => ({ items: [i({ quantity: 0 })] }), ['/items/0/quantity']],
      ['half a ticket', (i) => ({ items: [i({ quantity: 1.5 })] }), ['/items/0/quantity']],
      ['a quantity in words', (i) => ({ items: [i({ quantity: '1' })] }), ['/items/0/quantity']],
      ['more than 100', (i) => ({ items: [i({ quantity: 101 })] }), ['/items/0/quantity']],
      ['an unknown field', (i) => ({ items: [i({ price: 0 })] }), ['/items/0/price']],
      [
        'more than 100 in all',
        (i) => ({
          items: [i({ quantity: 60 }), i({ ticket_type_id: 1, quantity: 40 }), i({ ticket_type_id: 2 })],
        }),
        ['/items/2/quantity'],
      ],
      ['a type twice', (i) => ({ items: [i(), i()] }), ['/items/1/ticket_type_id']],
      [
        'more attendees than tickets',
        (i) => ({ items: [i({ attendees: [{ name: 'Ada' }, { name: 'Charles' }] })] }),
        ['/items/0/attendees'],
      ],
      ['a nameless attendee', (i) => ({ items: [i({ attendees: [{}] })] }), ['/items/0/attendees/0/name']],
      [
        'an attendee of text',
        (i) => ({ items: [i({ attendees: ['Ada'] })] }),
        ['/items/0/attendees', '/items/0/attendees/0'],
      ],
      ['half a contact', (i) => ({ items: [i()], contact: { name: 'Ada' } }), ['/contact/email']],
      ['a contact of text', (i) => ({ items: [i()], contact: 'Ada' }), ['/contact']],
      ['numbers as metadata', (i) => ({ items: [i()], metadata: { a: 1 } }), ['/metadata']],
      ['an empty code', (i) => ({ items: [i()], code: '' }), ['/code']],
    ])('%s', async (_what, bodyOf, pointers) => {
      await refused(bodyOf(item), 422, 'validation_failed', pointers);
    });

    it('more than 20 items', async () => {
      const items = Array.from({ length: 21 }, (_, i) => ({ ticket_type_id: i + 1, quantity: 1 }));
      await refused({ items }, 422, 'validation_failed', ['/items']);
    });

    it('more tickets of a type than it allows', async () => {
      await refused({ items: [item({ quantity: 11 })] }, 422, 'validation_failed', ['/items/0/quantity']);
    });

    it('a type that is not there, of another event, or hidden', async () => {
      const other = await stage.event(organizer);
      const foreign = await stage.type(other);
      const hidden = await stage.type(event, { isHidden: true });
      for (const id of [UNKNOWN, foreign, hidden]) {
        await refused(
          { items: [item(), { ticket_type_id: id, quantity: 1 }] },
          404,
          'ticket_type_not_found',
          ['/items/1/ticket_type_id'],
        );
      }
    });

    it('a type outside of its window', async () => {
      const items = [
        item(),
        { ticket_type_id: await stage.type(event, { salesUntil: '2001-01-01' }), quantity: 1 },
      ];
      await refused({ items }, 409, 'ticket_type_not_on_sale', ['/items/1/ticket_type_id']);
    });

    it('more than a type or the event has left', async () => {
      const items = [item(), { ticket_type_id: last, quantity: 2 }];
      await refused({ items }, 409, 'ticket_type_sold_out', ['/items/1/quantity']);
      const small = await stage.event(organizer, { total_tickets: 1 });
      const type = await stage.type(small);
      expectProblem(
        await place({ event_id: small.id, items: [{ ticket_type_id: type, quantity: 2 }] }),
        409,
        'event_sold_out',
      );
    });

    it('a code that is not there, or used up', async () => {
      await stage.code(event, 'gone', { percent: 10, uses: 0 });
      await refused({ items: [item()], code: 'nothing' }, 422, 'code_not_valid', ['/code']);
      await refused({ items: [item()], code: 'GONE' }, 409, 'code_used_up', ['/code']);
    });

    it('an event that is not there, over, a draft or cancelled', async () => {
      const items = [item()];
      await refused({ event_id: UNKNOWN, items }, 404, 'event_not_found');
      const past = await stage.event(organizer, {
        start_time: '2001-01-01T00:00:00Z',
        end_time: '2001-01-01T00:00:00Z',
      });
      await refused({ event_id: past.id, items }, 409, 'event_ended');
      const closed = await stage.event(organizer);
      const own = [{ ticket_type_id: await stage.type(closed), quantity: 1 }];
      await api.sql(`UPDATE events SET status = 'draft' WHERE id = $1`, [closed.id]);
      await refused({ event_id: closed.id, items: own }, 404, 'event_not_found');
      expectProblem(
        await organizer.client.post('/orders', { event_id: closed.id, items: own }),
        409,
        'event_not_published',
      );
      await api.sql(`UPDATE events SET status = 'cancelled' WHERE id = $1`, [closed.id]);
      await refused({ event_id: closed.id, items: own }, 409, 'event_not_published');
    });
  });

  it('answers a key again byte for byte, and holds no more for it', async () => {
    const event = await stage.event(organizer);
    const type = await stage.type(event, { price: 100 });
    const body = {
      event_id: event.id,
      items: [{ ticket_type_id: type, quantity: 2, attendees: [{ name: 'Ada' }] }],
      contact: { name: 'Ada', email: 'ada@example.com' },
    };
    const send = () =>
      buyer.client.post('/orders', body, { 'Idempotency-Key': `place ${event.id}`.replace(' ', '-') });
    const first = await send();
    await api.sql(`UPDATE ticket_types SET name = 'Other', price = 5 WHERE id = $1`, [type]);
    const second = await send();
    expect(first.status).toBe(201);
    expect(second).toMatchObject({ status: 201, body: first.body });
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect((await stage.counters(event))[0]).toMatchObject({ held: 2 });
  });
});
