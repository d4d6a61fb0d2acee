import { startTestApi, type TestApi } from '../support/api';
import type { Client } from '../support/client';
import { eventBody, ticketTypeBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { createCallers, salesBy, type Callers, type ListedType } from '../support/sales';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { titled } from '../support/tables';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const PAST = '2001-01-01T00:00:00.000Z';
const FUTURE = '2098-01-01T00:00:00.000Z';

describe('ticket types', () => {
  let api: TestApi;
  let callers: Callers;
  let organizer: Client;
  const { newEvent, setStatus, newType, changeType, removeType, typesOf, reserve } = salesBy(
    () => api,
    () => callers,
  );

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0', MAX_EVENTS_PER_USER_HOUR: '0' });
    callers = await createCallers(api);
    ({ organizer } = callers);
  });
  afterAll(async () => {
    expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]);
    await api.stop();
  });

  describe('of a new event', () => {
    it('are one that is free, where none are named', async () => {
      const event = await newEvent();
      expect(await typesOf(event)).toEqual([
        {
          id: expect.any(Number),
          event_id: event.id,
          name: 'Ticket',
          description: '',
          price: 0,
          currency: null,
          quota_id: null,
          capacity: null,
          available: 10,
          state: 'on_sale',
          sales_from: null,
          sales_until: null,
          min_per_order: 1,
          max_per_order: 10,
          is_hidden: false,
          position: 0,
          created_at: expect.stringMatching(INSTANT),
        },
      ]);
    });

    it('are those that are named, with quotas of their own', async () => {
      const ticket_types = [
        { name: 'Standing', price: 0, position: 2 },
        { name: 'Balcony', price: 0, capacity: 4, position: 1, description: 'With a view' },
      ];
      const types = await typesOf(await newEvent({ ticket_types }));
      expect(types).toEqual([
        expect.objectContaining({ name: 'Balcony', capacity: 4, available: 4, description: 'With a view' }),
        expect.objectContaining({ name: 'Standing', capacity: null, available: 10 }),
      ]);
    });

    it.each<[string, unknown, string | string[]]>([
      ['none', [], '/ticket_types'],
      ['21', Array.from({ length: 21 }, ticketTypeBody), '/ticket_types'],
      ['null', null, '/ticket_types'],
      ['one that is no list', ticketTypeBody(), '/ticket_types'],
      ['a list of lists', [[ticketTypeBody()]], '/ticket_types'],
      ['a number', [5], ['/ticket_types', '/ticket_types/0']],
      ['a nameless one', [ticketTypeBody(), { price: 0 }], '/ticket_types/1/name'],
      ['one with an unknown field', [{ ...ticketTypeBody(), id: 5 }], '/ticket_types/0/id'],
      ['one with a quota', [{ ...ticketTypeBody(), quota_id: 1 }], '/ticket_types/0/quota_id'],
      ['a price without a currency', [ticketTypeBody(), { name: 'A', price: 1 }], '/ticket_types/1/price'],
      [
        'a window without an inside',
        [{ ...ticketTypeBody(), sales_from: FUTURE, sales_until: FUTURE }],
        '/ticket_types/0/sales_until',
      ],
    ])('are refused where they are %s, and the event with them', async (_what, ticket_types, pointer) => {
      const count = 'SELECT count(*)::int AS number FROM events';
      const before = await api.sql(count);
      const answer = await organizer.post('/events/', { ...eventBody(), ticket_types });
      expectProblem(answer, 422, 'validation_failed', { pointers: [pointer].flat() });
      expect(await api.sql(count)).toEqual(before);
    });

    it('are taken as long as they may be, and twenty of them', async () => {
      const longest = { name: '界'.repeat(100), description: '🎻'.repeat(1_000), price: 0 };
      const ticket_types = Array.from({ length: 20 }, () => longest);
      const body = JSON.stringify({ ...eventBody(), ticket_types, description: 'd'.repeat(10_000) });
      // As a client writes it that knows only ASCII.
      const escaped = body.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
      const headers = { 'Content-Type': 'application/json' };
      const { status, body: event } = await organizer.send('POST', '/events/', { body: escaped, headers });
      expect(status).toBe(201);
      expect(await typesOf(event)).toHaveLength(20);
    });
  });

  describe('POST /events/{event_id}/ticket-types', () => {
    it('makes one of all there is to say', async () => {
      const event = await newEvent({}, 'EUR');
      const body = {
        name: 'Balcony',
        description: 'Seats\nwith a view',
        price: 1_250,
        capacity: 5,
        sales_from: PAST,
        sales_until: FUTURE,
        min_per_order: 2,
        max_per_order: 4,
        is_hidden: true,
        position: 3,
      };
      const { status, headers, body: type } = await organizer.post(`/events/${event.id}/ticket-types`, body);
      expect(status).toBe(201);
      expect(headers.get('location')).toBe(`/ticket-types/${type.id}`);
      expect(type).toEqual({
        ...body,
        id: expect.any(Number),
        event_id: event.id,
        currency: 'EUR',
        quota_id: expect.any(Number),
        available: 5,
        state: 'on_sale',
        created_at: expect.stringMatching(INSTANT),
      });
      expect((await typesOf(event, organizer)).at(-1)).toEqual(type);
      // Hidden, of a draft, or deleted: each alone keeps it from others.
      const shownTo = async (caller: Client) => (await caller.get(`/ticket-types/${type.id}`)).status;
      expect([await shownTo(organizer), await shownTo(callers.stranger)]).toEqual([200, 404]);
      await changeType(type, { is_hidden: false });
      expect([await shownTo(callers.stranger), await shownTo(api.client.as(''))]).toEqual([200, 200]);
      await setStatus(event, 'draft');
      expect([await shownTo(organizer), await shownTo(callers.stranger)]).toEqual([200, 404]);
      await removeType(type);
      expect(await shownTo(organizer)).toBe(404);
    });

    it('shares a quota of the event', async () => {
      const event = await newEvent();
      const quota = await api.create.quota(event, { capacity: 3 });
      const [one, other] = [
        await newType(event, { quota_id: quota.id }),
        await newType(event, { quota_id: quota.id }),
      ];
      expect([one, other]).toMatchObject([
        { quota_id: quota.id, capacity: 3, available: 3 },
        { quota_id: quota.id, capacity: 3, available: 3 },
      ]);
      expect((await reserve(event, one)).status).toBe(201);
      expect((await typesOf(event)).map(({ available }) => available)).toEqual([9, 2, 2]);
    });

    it('refuses what is no quota of types of the event', async () => {
      const event = await newEvent();
      const elsewhere = await api.create.quota(await newEvent());
      const code = await api.create.code(event);
      const [ofEvent] = await api.sql(`SELECT id FROM quotas WHERE event_id = $1 AND kind = 'event'`, [
        event.id,
      ]);
      const [ofCode] = await api.sql('SELECT quota_id AS id FROM codes WHERE id = $1', [code.id]);
      for (const { id } of [elsewhere, ofEvent, ofCode, { id: 999_999 }]) {
        const answer = await organizer.post(`/events/${event.id}/ticket-types`, {
          ...ticketTypeBody(),
          quota_id: id,
        });
        expectProblem(answer, 422, 'validation_failed', { pointers: ['/quota_id'] });
      }
    });

    it.each(
      titled([
        ['name', undefined],
        ['name', null],
        ['name', ''],
        ['name', ' '],
        ['name', 'a\nb'],
        ['name', 'n'.repeat(101)],
        ['name', 5],
        ['description', 'd'.repeat(1_001)],
        ['description', 'a\u0001b'],
        ['price', undefined],
        ['price', null],
        ['price', -1],
        ['price', 1.5],
        ['price', '5'],
        ['price', 2 ** 53],
        ['price', 1],
        ['capacity', -1],
        ['capacity', 10_000_001],
        ['capacity', '5'],
        ['quota_id', 0],
        ['quota_id', '1'],
        ['sales_from', '2030-01-01'],
        ['sales_until', 'soon'],
        ['min_per_order', 0],
        ['min_per_order', 101],
        ['min_per_order', null],
        ['max_per_order', 0],
        ['max_per_order', 101],
        ['is_hidden', 'true'],
        ['is_hidden', null],
        ['position', -1],
        ['position', 1_000_001],
        ['event_id', 1],
        ['available', 1],
        ['state', 'on_sale'],
        ['currency', 'EUR'],
      ]),
    )('refuses %s %s', async (field, _title, value) => {
      const event = await newEvent();
      const answer = await organizer.post(`/events/${event.id}/ticket-types`, {
        ...ticketTypeBody(),
        [field]: value,
      });
      expectProblem(answer, 422, 'validation_failed', { pointers: [`/${field}`] });
      expect(await typesOf(event, organizer)).toHaveLength(1);
    });

    it.each([
      [{ capacity: 5, quota_id: 1 }, '/quota_id'],
      [{ sales_from: FUTURE, sales_until: PAST }, '/sales_until'],
      [{ sales_from: FUTURE, sales_until: FUTURE }, '/sales_until'],
      [{ min_per_order: 3, max_per_order: 2 }, '/max_per_order'],
      [{ min_per_order: 11 }, '/max_per_order'],
    ])('refuses %j', async (fields, pointer) => {
      const event = await newEvent();
      const answer = await organizer.post(`/events/${event.id}/ticket-types`, {
        ...ticketTypeBody(),
        ...fields,
      });
      expectProblem(answer, 422, 'validation_failed', { pointers: [pointer] });
    });

    it.each([0, 1, 2 ** 53 - 1])('takes the price %d', async (amount) => {
      const event = await newEvent({}, 'JPY');
      expect(await newType(event, { price: amount })).toMatchObject({ price: amount, currency: 'JPY' });
      expect((await typesOf(event)).at(-1)).toMatchObject({ price: amount });
    });

    it('keeps an event to a hundred types and a hundred quotas, whoever comes at once', async () => {
      const event = await newEvent();
      const post = () =>
        organizer.post(`/events/${event.id}/ticket-types`, { ...ticketTypeBody(), capacity: 1 });
      for (let i = 0; i < 96; i++) await post();
      const answers = await Promise.all(Array.from({ length: 8 }, post));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 409, 409, 409, 409, 409]);
      expectProblem(await post(), 409, 'too_many_in_event');
      expectProblem(
        await organizer.post(`/events/${event.id}/ticket-types`, ticketTypeBody()),
        409,
        'too_many_in_event',
      );
      const [first, second] = (await typesOf(event)) as [ListedType, ListedType];
      expect((await removeType(second)).status).toBe(204);
      expect((await post()).status).toBe(201);
      await removeType(first);
      for (let i = 0; i < 1; i++)
        expect((await organizer.post(`/events/${event.id}/quotas`, { name: 'Q', capacity: 1 })).status).toBe(
          201,
        );
      // One more type there may be, but no more quota for it.
      expectProblem(await post(), 409, 'too_many_in_event');
      expect((await organizer.post(`/events/${event.id}/ticket-types`, ticketTypeBody())).status).toBe(201);
    });

    it('sends the first answer again for a key, and keeps no refusal that a corrected body may turn', async () => {
      const event = await newEvent();
      const post = (body: object, key: string) =>
        organizer.post(`/events/${event.id}/ticket-types`, body, { 'Idempotency-Key': key });
      const [first, again] = [await post(ticketTypeBody(), 'one'), await post(ticketTypeBody(), 'one')];
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      expect(again).toMatchObject({ status: 201, body: first.body });
      expectProblem(await post({ name: 'A', price: 5 }, 'two'), 422, 'validation_failed');
      expect((await post({ name: 'A', price: 0 }, 'two')).status).toBe(201);
      expect(await typesOf(event)).toHaveLength(3);
    });
  });
});
