import { startTestApi, type TestApi } from '../support/api';
import type { Client } from '../support/client';
import { eventBody, ticketTypeBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { createCallers, salesBy, type Callers, type ListedType } from '../support/sales';
import { INVENTORY_MISMATCHES } from '../support/seats';
import { tokenOf } from '../support/tokens';

const PAST = '2001-01-01T00:00:00.000Z';
const FUTURE = '2098-01-01T00:00:00.000Z';

describe('ticket types that change', () => {
  let api: TestApi;
  let callers: Callers;
  let organizer: Client;
  let stranger: Client;
  const { newEvent, setStatus, newType, changeType, removeType, typesOf, reserve } = salesBy(
    () => api,
    () => callers,
  );

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0', MAX_EVENTS_PER_USER_HOUR: '0' });
    callers = await createCallers(api);
    ({ organizer, stranger } = callers);
  });
  afterAll(async () => {
    expect(await api.sql(INVENTORY_MISMATCHES)).toEqual([]);
    await api.stop();
  });

  describe('PATCH /ticket-types/{id}', () => {
    it('changes what it names, and leaves the rest', async () => {
      const event = await newEvent({}, 'KWD');
      const type = await newType(event, { description: 'old', sales_until: FUTURE });
      expect(await changeType(type, {})).toMatchObject({ status: 200, body: type });
      const changes = {
        name: 'Parquet',
        description: null,
        price: 1_500,
        sales_from: PAST,
        sales_until: null,
        min_per_order: 2,
        max_per_order: 3,
        is_hidden: true,
        position: 7,
      };
      const changed = { ...type, ...changes, description: '' };
      expect(await changeType(type, changes)).toMatchObject({ status: 200, body: changed });
      expect((await typesOf(event, organizer)).at(-1)).toEqual(changed);
    });

    it.each<[object, string]>([
      [{ name: null }, '/name'],
      [{ price: null }, '/price'],
      [{ price: 5 }, '/price'],
      [{ position: null }, '/position'],
      [{ min_per_order: 11 }, '/min_per_order'],
      [{ max_per_order: 0 }, '/max_per_order'],
      [{ sales_until: PAST }, '/sales_until'],
      [{ sales_from: FUTURE, sales_until: PAST }, '/sales_until'],
      [{ capacity: 5, quota_id: 5 }, '/quota_id'],
      [{ quota_id: 999_999 }, '/quota_id'],
      [{ id: 5 }, '/id'],
    ])('refuses %j', async (changes, pointer) => {
      const type = await newType(await newEvent(), { sales_from: '2002-01-01T00:00:00Z' });
      expectProblem(await changeType(type, changes), 422, 'validation_failed', { pointers: [pointer] });
    });

    it('refuses more tickets at least than a user may hold', async () => {
      const limited = await startTestApi({ DATABASE_URL: api.settings.DATABASE_URL ?? '' });
      const event = await newEvent();
      const type = await newType(event, { max_per_order: 20 });
      const most = (min_per_order: number) =>
        limited.client.send('PATCH', `/ticket-types/${type.id}`, {
          body: JSON.stringify({ min_per_order }),
          headers: { 'Content-Type': 'application/json' },
        });
      expect((await most(10)).status).toBe(200);
      const refused = await most(11);
      expectProblem(refused, 422, 'validation_failed', { pointers: ['/min_per_order'] });
      expect(refused.body.errors[0].detail).toContain('above 10');
      await limited.stop();
      expect(await changeType(type, { min_per_order: 11 })).toMatchObject({ status: 200 });
    });

    it('points at the start of a window that would begin after its end', async () => {
      const type = await newType(await newEvent(), { sales_until: PAST });
      expectProblem(await changeType(type, { sales_from: FUTURE }), 422, 'validation_failed', {
        pointers: ['/sales_from'],
      });
    });

    it('leaves the prices of orders as they were', async () => {
      const event = await newEvent({}, 'EUR');
      const type = await newType(event, { price: 500 });
      const ticket = (await reserve(event, type)).body;
      await changeType(type, { price: 900 });
      expect((await api.client.get(`/tickets/${ticket.id}`)).body.price).toBe(500);
      expect((await reserve(event, type)).body.price).toBe(900);
    });

    it('lets a hold live whose window closes', async () => {
      const event = await newEvent();
      const type = await newType(event);
      const ticket = (await reserve(event, type)).body;
      await changeType(type, { sales_until: PAST });
      expectProblem(await reserve(event, type), 409, 'ticket_type_not_on_sale', {
        pointers: ['/ticket_type_id'],
      });
      expect((await api.client.post(`/tickets/${ticket.id}/pay`)).status).toBe(200);
    });
  });

  describe('DELETE /ticket-types/{id}', () => {
    it('takes a type off every list, and leaves its tickets good', async () => {
      const event = await newEvent();
      const type = await newType(event, { capacity: 2 });
      const ticket = (await reserve(event, type)).body;
      expect(await removeType(type)).toMatchObject({ status: 204, body: '' });
      expect((await typesOf(event, organizer)).map(({ id }) => id)).not.toContain(type.id);
      expect((await organizer.get(`/events/${event.id}/quotas`)).body).toEqual([]);
      expectProblem(await reserve(event, type), 404, 'ticket_type_not_found', {
        pointers: ['/ticket_type_id'],
      });
      expectProblem(await changeType(type, {}), 404, 'ticket_type_not_found');
      expectProblem(await removeType(type), 404, 'ticket_type_not_found');
      expect((await api.client.post(`/tickets/${ticket.id}/pay`)).status).toBe(200);
      expect((await api.client.get(`/tickets/${ticket.id}`)).body).toMatchObject({
        status: 'paid',
        ticket_type_id: type.id,
      });
    });

    it('takes the last one, too: the event sells nothing until it gets another', async () => {
      const event = await newEvent();
      const [only] = (await typesOf(event)) as [ListedType];
      expect((await removeType(only)).status).toBe(204);
      expect(await typesOf(event)).toEqual([]);
      expectProblem(await reserve(event), 404, 'ticket_type_not_found', { pointers: ['/ticket_type_id'] });
      const type = await newType(event);
      expect((await reserve(event)).body.ticket_type_id).toBe(type.id);
    });
  });

  describe('are the organizer’s to change', () => {
    it('and nobody else’s, who learns only of what they see', async () => {
      const event = await newEvent();
      const [open, hidden] = [await newType(event), await newType(event, { is_hidden: true })];
      const post = (by: Client) => by.post(`/events/${event.id}/ticket-types`, ticketTypeBody());
      expectProblem(await post(stranger), 403, 'forbidden');
      expectProblem(await changeType(open, { name: 'Mine' }, stranger), 403, 'forbidden');
      expectProblem(await removeType(open, stranger), 403, 'forbidden');
      expectProblem(await changeType(hidden, { name: 'Mine' }, stranger), 404, 'ticket_type_not_found');
      expectProblem(await removeType(hidden, stranger), 404, 'ticket_type_not_found');
      await setStatus(event, 'draft');
      expectProblem(await post(stranger), 404, 'event_not_found');
      expectProblem(await changeType(open, { name: 'Mine' }, stranger), 404, 'ticket_type_not_found');
      expectProblem(await removeType(open, stranger), 404, 'ticket_type_not_found');
      for (const by of [organizer, api.client]) {
        expect((await post(by)).status).toBe(201);
        expect((await changeType(hidden, { position: 1 }, by)).status).toBe(200);
      }
      expect((await removeType(open, api.client)).status).toBe(204);
    });

    it('and not those of another who has the id of an account that is gone', async () => {
      const user = await api.create.user();
      const event = (await api.client.as(tokenOf(user.id)).post('/events/', eventBody())).body;
      await api.sql(`UPDATE users SET created_at = now() + interval '1 hour' WHERE id = $1`, [user.id]);
      const answer = await api.client
        .as(tokenOf(user.id))
        .post(`/events/${event.id}/ticket-types`, ticketTypeBody());
      expectProblem(answer, 403, 'forbidden');
    });
  });
});
