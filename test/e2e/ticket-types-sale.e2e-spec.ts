import { startTestApi, type TestApi } from '../support/api';
import type { Client } from '../support/client';
import { expectProblem } from '../support/problems';
import { createCallers, salesBy, type Callers, type ListedType } from '../support/sales';
import { INVENTORY_MISMATCHES } from '../support/seats';

const PAST = '2001-01-01T00:00:00.000Z';
const FUTURE = '2098-01-01T00:00:00.000Z';

describe('ticket types for sale', () => {
  let api: TestApi;
  let callers: Callers;
  let organizer: Client;
  let stranger: Client;
  const { newEvent, setStatus, newType, removeType, typesOf, reserve } = salesBy(
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

  describe('GET /events/{event_id}/ticket-types', () => {
    it('is in the order of the positions, then of the ids, page by page', async () => {
      const event = await newEvent();
      for (const [name, position] of [
        ['c', 2],
        ['a', 1],
        ['d', 2],
        ['b', 1],
      ]) {
        await newType(event, { name, position });
      }
      const pages = await stranger.pages<ListedType>(`/events/${event.id}/ticket-types?limit=2`);
      expect(pages.map((page) => page.map(({ name }) => name))).toEqual([['Ticket', 'a'], ['b', 'c'], ['d']]);
      const answer = await stranger.get(`/events/${event.id}/ticket-types?cursor=x`);
      expectProblem(answer, 422, 'validation_failed', { pointers: ['/cursor'] });
    });

    it.each<[string, object, object]>([
      ['on_sale', {}, {}],
      ['on_sale', {}, { sales_from: PAST, sales_until: FUTURE }],
      ['not_yet', {}, { sales_from: FUTURE }],
      ['over', {}, { sales_until: PAST }],
      ['over', { start_time: PAST, end_time: PAST }, {}],
      ['sold_out', { total_tickets: 0 }, {}],
      ['sold_out', {}, { capacity: 0 }],
      ['sold_out', { total_tickets: 1 }, { min_per_order: 2 }],
    ])('says %s of an event %j and a type %j', async (state, ofEvent, ofType) => {
      const event = await newEvent(ofEvent);
      const type = await newType(event, ofType);
      expect(type.state).toBe(state);
      expect((await typesOf(event)).at(-1)).toEqual(type);
    });

    it('never says fewer than none are available', async () => {
      const event = await newEvent();
      const type = await newType(event, { capacity: 1 });
      await api.sql('ALTER TABLE quotas DROP CONSTRAINT quotas_places_check');
      await api.sql('UPDATE quotas SET held = 5 WHERE id = $1', [type.quota_id]);
      expect((await typesOf(event)).at(-1)).toMatchObject({ available: 0, state: 'sold_out' });
      await api.sql('UPDATE quotas SET held = 0 WHERE id = $1', [type.quota_id]);
      await api.sql(
        'ALTER TABLE quotas ADD CONSTRAINT quotas_places_check CHECK (held >= 0 AND sold >= 0 AND held + sold <= capacity)',
      );
    });

    it('is open to everybody, except for drafts and hidden types', async () => {
      const event = await newEvent();
      const hidden = await newType(event, { is_hidden: true });
      const anybody = api.client.as('');
      expect(await typesOf(event, anybody)).toHaveLength(1);
      expect(await typesOf(event, stranger)).toHaveLength(1);
      for (const by of [organizer, api.client]) {
        const types = await typesOf(event, by);
        expect(types).toHaveLength(2);
        expect(types.at(-1)).toEqual(hidden);
      }
      await setStatus(event, 'draft');
      for (const by of [anybody, stranger]) {
        expectProblem(await by.get(`/events/${event.id}/ticket-types`), 404, 'event_not_found');
      }
      expect((await typesOf(event, organizer)).map(({ state }) => state)).toEqual(['not_yet', 'not_yet']);
      await setStatus(event, 'cancelled');
      expect((await typesOf(event, anybody)).map(({ state }) => state)).toEqual(['over']);
    });

    it('may be kept by caches for those who see what all see', async () => {
      const event = await newEvent();
      const path = `/events/${event.id}/ticket-types`;
      const all = await stranger.get(path);
      expect(all.headers.get('cache-control')).toContain('public');
      expect(all.headers.get('vary')).toContain('Authorization');
      const own = await organizer.get(path);
      expect(own.headers.get('cache-control')).toBe('no-store');
    });
  });

  describe('POST /tickets/', () => {
    it('wants to know which of several visible types', async () => {
      const event = await newEvent();
      const [only] = (await typesOf(event)) as [ListedType];
      expect((await reserve(event)).body.ticket_type_id).toBe(only.id);
      const other = await newType(event);
      expectProblem(await reserve(event), 422, 'ticket_type_required', { pointers: ['/ticket_type_id'] });
      expect((await reserve(event, other)).body.ticket_type_id).toBe(other.id);
      await removeType(only);
      expect((await reserve(event)).body.ticket_type_id).toBe(other.id);
    });

    it('takes the only visible one, whatever is hidden', async () => {
      const event = await newEvent();
      const hidden = await newType(event, { is_hidden: true });
      expect((await reserve(event)).status).toBe(201);
      expectProblem(await reserve(event, hidden), 404, 'ticket_type_not_found', {
        pointers: ['/ticket_type_id'],
      });
    });

    it('refuses a type of another event, and one that there is not', async () => {
      const [event, elsewhere] = [await newEvent(), await newEvent()];
      const [foreign] = (await typesOf(elsewhere)) as [ListedType];
      for (const type of [foreign, { id: 999_999 }]) {
        expectProblem(await reserve(event, type), 404, 'ticket_type_not_found', {
          pointers: ['/ticket_type_id'],
        });
      }
    });

    it.each([{ sales_from: FUTURE }, { sales_until: PAST }])('refuses a type with %j', async (window) => {
      const event = await newEvent();
      const type = await newType(event, window);
      expectProblem(await reserve(event, type), 409, 'ticket_type_not_on_sale', {
        pointers: ['/ticket_type_id'],
      });
    });

    it('refuses one ticket of a type that is sold by two', async () => {
      const event = await newEvent();
      const type = await newType(event, { min_per_order: 2 });
      expect((await reserve(event, type)).status).toBe(422);
    });

    it('tells a type that is sold out from an event that is', async () => {
      const event = await newEvent({ total_tickets: 2 });
      const type = await newType(event, { capacity: 1 });
      const [only] = (await typesOf(event)) as [ListedType];
      expect((await reserve(event, type)).status).toBe(201);
      expect((await reserve(event, type)).body.code).toBe('ticket_type_sold_out');
      expect((await reserve(event, only)).status).toBe(201);
      expectProblem(await reserve(event, only), 409, 'event_sold_out');
    });
  });
});
