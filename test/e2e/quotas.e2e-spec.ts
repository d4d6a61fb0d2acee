import { startTestApi, type TestApi } from '../support/api';
import type { Answer, Client } from '../support/client';
import { codeBody, ticketTypeBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { createCallers, salesBy, type Callers } from '../support/sales';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { titled } from '../support/tables';

describe('quotas', () => {
  let api: TestApi;
  let callers: Callers;
  let organizer: Client;
  let stranger: Client;
  const { newEvent, setStatus, newType, changeType, removeType, newQuota, changeQuota, quotasOf, reserve } =
    salesBy(
      () => api,
      () => callers,
    );

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0', MAX_EVENTS_PER_USER_HOUR: '0' });
    callers = await createCallers(api);
    ({ organizer, stranger } = callers);
  });
  afterEach(async () => expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]));
  afterAll(() => api.stop());

  it('are bounded, and types with them, though all of the others were deleted', async () => {
    const [types, quotas] = [await newEvent(), await newEvent()];
    await api.sql(
      `INSERT INTO ticket_types (event_id, name, quota_ids, archived_at)
      SELECT event_id, 'Deleted', quota_ids, now() FROM ticket_types, generate_series(1, 998) WHERE event_id = $1`,
      [types.id],
    );
    await api.sql(
      `INSERT INTO quotas (event_id, kind, capacity) SELECT $1, 'type', 1 FROM generate_series(1, 4998)`,
      [quotas.id],
    );
    const posts: [event: { id: number }, fields: object][] = [
      [types, {}],
      [quotas, { capacity: 1 }],
    ];
    for (const [{ id }, fields] of posts) {
      const post = () => organizer.post(`/events/${id}/ticket-types`, { ...ticketTypeBody(), ...fields });
      expect((await post()).status).toBe(201);
      expectProblem(await post(), 409, 'too_many_in_event');
    }
    const code = await organizer.post(`/events/${quotas.id}/codes`, codeBody());
    expectProblem(code, 409, 'too_many_in_event');
  });

  it('are made, listed with what is held and sold, and changed', async () => {
    const event = await newEvent();
    const {
      status,
      headers,
      body: quota,
    } = await organizer.post(`/events/${event.id}/quotas`, {
      name: 'Balcony',
      capacity: 5,
    });
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/quotas/${quota.id}`);
    expect(quota).toEqual({
      id: expect.any(Number),
      event_id: event.id,
      name: 'Balcony',
      capacity: 5,
      held: 0,
      sold: 0,
    });
    const type = await newType(event, { quota_id: quota.id });
    const ticket = (await reserve(event, type)).body;
    await api.client.post(`/tickets/${ticket.id}/pay`);
    await reserve(event, type);
    expect(await quotasOf(event)).toEqual([{ ...quota, held: 1, sold: 1 }]);
    const changed = { ...quota, name: 'Gallery', capacity: 2, held: 1, sold: 1 };
    expect(await changeQuota(quota, { name: 'Gallery', capacity: 2 })).toMatchObject({
      status: 200,
      body: changed,
    });
    expect(await changeQuota(quota, {})).toMatchObject({ status: 200, body: changed });
    expect((await reserve(event, type)).body.code).toBe('ticket_type_sold_out');
    expect((await changeQuota(quota, { capacity: 3 })).status).toBe(200);
    expect((await reserve(event, type)).status).toBe(201);
  });

  it('of one type alone have its name, until they get their own', async () => {
    const event = await newEvent();
    const type = await newType(event, { name: 'Balcony', capacity: 5 });
    expect(await quotasOf(event)).toEqual([expect.objectContaining({ id: type.quota_id, name: 'Balcony' })]);
    await changeType(type, { name: 'Gallery' });
    expect(await quotasOf(event)).toEqual([expect.objectContaining({ name: 'Gallery' })]);
    await changeQuota({ id: type.quota_id }, { name: 'Upstairs' });
    await removeType(type);
    expect(await quotasOf(event)).toEqual([expect.objectContaining({ name: 'Upstairs', capacity: 5 })]);
  });

  it('are listed page by page', async () => {
    const event = await newEvent();
    for (const name of ['a', 'b', 'c']) await newQuota(event, 1, name);
    const pages = await organizer.pages<{ name: string }>(`/events/${event.id}/quotas?limit=2`);
    expect(pages.map((page) => page.map(({ name }) => name))).toEqual([['a', 'b'], ['c']]);
  });

  it.each(
    titled([
      ['name', undefined],
      ['name', ''],
      ['name', null],
      ['name', 'n'.repeat(101)],
      ['capacity', undefined],
      ['capacity', null],
      ['capacity', -1],
      ['capacity', 10_000_001],
      ['capacity', '5'],
      ['held', 1],
      ['sold', 1],
      ['kind', 'event'],
    ]),
  )('refuse %s %s', async (field, _title, value) => {
    const event = await newEvent();
    const body = { name: 'Balcony', capacity: 5, [field]: value };
    const refused = { pointers: [`/${field}`] };
    expectProblem(
      await organizer.post(`/events/${event.id}/quotas`, body),
      422,
      'validation_failed',
      refused,
    );
    if (value === undefined) return;
    const quota = await newQuota(event, 5);
    expectProblem(await changeQuota(quota, { [field]: value }), 422, 'validation_failed', refused);
    expect(await quotasOf(event)).toEqual([quota]);
  });

  it('are the organizer’s alone', async () => {
    const event = await newEvent();
    const quota = await newQuota(event, 5);
    const path = `/events/${event.id}/quotas`;
    expectProblem(await stranger.get(path), 403, 'forbidden');
    expectProblem(await stranger.post(path, { name: 'Mine', capacity: 1 }), 403, 'forbidden');
    // A stranger sees no quota, and can't tell whether there is one.
    expectProblem(await changeQuota(quota, { capacity: 1 }, stranger), 404, 'quota_not_found');
    await setStatus(event, 'draft');
    expectProblem(await stranger.get(path), 404, 'event_not_found');
    expectProblem(await stranger.post(path, { name: 'Mine', capacity: 1 }), 404, 'event_not_found');
    expect((await changeQuota(quota, { capacity: 6 }, api.client)).status).toBe(200);
    expect(await quotasOf(event, api.client)).toEqual([{ ...quota, capacity: 6 }]);
  });

  it('are neither that of all places of an event nor that of a code', async () => {
    const event = await newEvent();
    const code = await api.create.code(event);
    const rows = await api.sql('SELECT id FROM quotas WHERE event_id = $1', [event.id]);
    expect(rows).toHaveLength(2);
    for (const row of rows) expectProblem(await changeQuota(row, { capacity: 1 }), 404, 'quota_not_found');
    expect(await quotasOf(event)).toEqual([]);
    expect((await organizer.get(`/events/${event.id}/codes`)).body).toEqual([code]);
  });

  describe('of a type', () => {
    it('can be made, changed and dropped until it has tickets', async () => {
      const event = await newEvent();
      const quota = await newQuota(event, 4);
      const type = await newType(event);
      const quotaOf = (answer: Answer) => {
        expect(answer.status).toBe(200);
        return { quota_id: answer.body.quota_id, capacity: answer.body.capacity };
      };
      const own = quotaOf(await changeType(type, { capacity: 3 }));
      expect(own).toEqual({ quota_id: expect.any(Number), capacity: 3 });
      expect(quotaOf(await changeType(type, { capacity: 5 }))).toEqual({ ...own, capacity: 5 });
      expect(quotaOf(await changeType(type, { quota_id: own.quota_id }))).toEqual({ ...own, capacity: 5 });
      const shared = { quota_id: quota.id, capacity: 4 };
      expect(quotaOf(await changeType(type, { quota_id: quota.id }))).toEqual(shared);
      expect(quotaOf(await changeType(type, { quota_id: quota.id, capacity: null }))).toEqual(shared);
      for (const capacity of [3, null]) {
        expectProblem(await changeType(type, { capacity }), 422, 'validation_failed', {
          pointers: ['/capacity'],
        });
      }
      expect(quotaOf(await changeType(type, { quota_id: null, capacity: 2 }))).toMatchObject({ capacity: 2 });
      expect(quotaOf(await changeType(type, { capacity: null }))).toEqual({ quota_id: null, capacity: null });
      await changeType(type, { quota_id: quota.id });
      expect(quotaOf(await changeType(type, { quota_id: null }))).toEqual({ quota_id: null, capacity: null });
      expect(quotaOf(await changeType(type, { quota_id: null }))).toEqual({ quota_id: null, capacity: null });
    });

    it('leaves nothing behind that no type draws on', async () => {
      const event = await newEvent();
      const quotas = async () =>
        await api.sql<{ id: string; name: string }>(
          `SELECT id, name FROM quotas WHERE event_id = $1 AND kind = 'type' ORDER BY id`,
          [event.id],
        );
      const type = await newType(event);
      const shared = await newQuota(event, 4);
      for (const change of [{ capacity: 3 }, { capacity: null }, { capacity: 5 }, { quota_id: shared.id }])
        expect((await changeType(type, change)).status).toBe(200);
      expect(await quotas()).toHaveLength(1);
      const own = (await changeType(type, { quota_id: null, capacity: 2 })).body.quota_id as number;
      const other = await newType(event, { quota_id: own });
      await changeType(type, { capacity: null });
      expect((await quotas()).map(({ id }) => Number(id))).toEqual([shared.id, own]);
      await removeType(other);
      // An order that is just being placed may still draw on that of a type which is archived.
      expect(await quotas()).toHaveLength(2);
      const third = await newType(event, { capacity: 1 });
      await changeQuota({ id: third.quota_id }, { name: 'Balcony' });
      await changeType(third, { quota_id: null });
      expect((await quotas()).map(({ name }) => name).sort()).toEqual(['', 'Balcony', shared.name].sort());
    });

    it('stays what it is once there are tickets, even if they have expired', async () => {
      const event = await newEvent();
      const [one, other] = [await newType(event, { capacity: 3 }), await newType(event)];
      const ticket = (await reserve(event, one)).body;
      await api.client.post(`/tickets/${ticket.id}/cancel`);
      const quota = await newQuota(event, 5);
      for (const changes of [{ quota_id: quota.id }, { quota_id: null }, { capacity: null }]) {
        expectProblem(await changeType(one, changes), 409, 'ticket_type_has_tickets');
      }
      expect((await changeType(one, { capacity: 4 })).body).toMatchObject({ capacity: 4, available: 4 });
      expect((await changeType(other, { quota_id: quota.id })).status).toBe(200);
    });

    it('refuses a capacity below what is held and sold', async () => {
      const event = await newEvent();
      const type = await newType(event, { capacity: 3 });
      const [ticket] = [(await reserve(event, type)).body, (await reserve(event, type)).body];
      await api.client.post(`/tickets/${ticket.id}/pay`);
      for (const answer of [
        await changeType(type, { capacity: 1 }),
        await changeQuota({ id: type.quota_id }, { capacity: 1 }),
      ]) {
        expectProblem(answer, 409, 'capacity_in_use');
        expect(answer.body).toMatchObject({ held: 1, sold: 1 });
      }
      expect((await changeType(type, { capacity: 2 })).body).toMatchObject({
        available: 0,
        state: 'sold_out',
      });
    });
  });
});
