import { startTestApi, type TestApi } from '../support/api';
import type { Client } from '../support/client';
import { eventBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { REMOVE_EVENTS } from '../support/seats';
import { tokenOf } from '../support/tokens';

const NOWHERE = { address: null, latitude: null, longitude: null };

describe('events', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  const show = async ({ id }: { id: number }) => (await api.client.get(`/events/${id}`)).body;

  describe('GET /events/{event_id}', () => {
    it('refuses an event that is not there', async () => {
      expectProblem(await api.client.get('/events/999999'), 404, 'event_not_found', {
        detail: 'Event not found',
      });
    });

    it('counts sold, held and available tickets', async () => {
      const [user, event] = [await api.create.user(), await api.create.event({ total_tickets: 5 })];
      const reserve = () => api.create.ticket({ user_id: user.id, event_id: event.id });
      const [sold, returned] = [await reserve(), await reserve(), await reserve()];
      await api.client.post(`/tickets/${sold.id}/pay`);
      await api.client.post(`/tickets/${returned.id}/cancel`);
      const answered = { ...event, tickets_sold: 1, tickets_held: 1, tickets_available: 3 };
      expect(await show(event)).toEqual(answered);
      const { body: list } = await api.client.get('/events/?limit=200');
      expect(list).toContainEqual(answered);
    });
  });

  describe('GET /events/', () => {
    let list: TestApi;
    const ids: Record<string, number> = {};

    beforeAll(async () => {
      list = await startTestApi();
      for (const [name, start_time] of Object.entries({
        late: '2040-01-01T00:00:00.001Z',
        past: '1999-12-31T23:00:00Z',
        tied: '2040-01-01T00:00:00Z',
        early: '2039-12-31T23:59:59.999Z',
        tiedToo: '2040-01-01T01:00:00+01:00',
        ancient: '0001-01-01T00:00:00Z',
      })) {
        const end_time = name === 'past' ? '1999-12-31T23:30:00Z' : '2050-01-01T00:00:00Z';
        ids[name] = (await list.create.event({ start_time, end_time })).id;
      }
    });
    afterAll(() => list.stop());

    const names = async (query: string) => {
      const { status, body } = await list.client.get<{ id: number }[]>(`/events/${query}`);
      expect(status).toBe(200);
      return body.map(({ id }) => Object.keys(ids).find((name) => ids[name] === id));
    };

    it('lists all events, past ones included, by their start and then their id', async () => {
      expect(await names('')).toEqual(['ancient', 'past', 'early', 'tied', 'tiedToo', 'late']);
    });

    it('lists each as it is shown alone', async () => {
      const { body } = await list.client.get<{ id: number }[]>('/events/');
      const alone = body.map(async ({ id }) => (await list.client.get<object>(`/events/${id}`)).body);
      expect(body).toEqual(await Promise.all(alone));
      expect(body[0]).toMatchObject({ venue: NOWHERE });
    });

    it.each([
      ['starts_after=2040-01-01T00:00:00Z', ['tied', 'tiedToo', 'late']],
      ['starts_after=2040-01-01T00:00:00.001Z', ['late']],
      ['starts_after=2040-01-01T01:00:00.001%2B01:00', ['late']],
      ['starts_after=2040-01-01T00:00:00.002Z', []],
      ['starts_after=0001-01-01T00:00:00Z', ['ancient', 'past', 'early', 'tied', 'tiedToo', 'late']],
      ['starts_before=2040-01-01T00:00:00Z', ['ancient', 'past', 'early']],
      ['starts_before=2040-01-01T00:00:00.001Z', ['ancient', 'past', 'early', 'tied', 'tiedToo']],
      ['starts_before=0001-01-01T00:00:00Z', []],
      [
        'starts_after=2039-12-31T23:59:59.999Z&starts_before=2040-01-01T00:00:00.001Z',
        ['early', 'tied', 'tiedToo'],
      ],
      ['starts_after=2040-01-01T00:00:00Z&starts_before=2040-01-01T00:00:00Z', []],
      ['starts_after=2041-01-01T00:00:00Z&starts_before=2039-01-01T00:00:00Z', []],
    ])('filters by %s: the lower bound inclusive, the upper exclusive', async (query, expected) => {
      expect(await names(`?${query}`)).toEqual(expected);
    });

    it.each([
      'starts_after=2040-01-01',
      'starts_after=2040-01-01T00:00:00',
      'starts_after=2040-01-01T00:00:00+01:00', // in a query an unescaped + is a space
      'starts_before=2040-02-30T00:00:00Z',
      'starts_before=',
      'starts_after=yesterday',
      'starts_after=2040-01-01T00:00:00Z&starts_after=2041-01-01T00:00:00Z',
    ])('refuses %s', async (query) => {
      expectProblem(await list.client.get(`/events/?${query}`), 422, 'validation_failed', {
        pointers: [`/${query.split('=')[0]}`],
      });
    });

    describe('of an organizer', () => {
      let organizer: Client;
      let id: number;
      const idsOf = async (query: string): Promise<number[]> =>
        (await list.client.get<{ id: number }[]>(`/events/?organizer_id=${query}`)).body.map(
          (event) => event.id,
        );
      const create = async (fields: object = {}): Promise<number> =>
        (await organizer.post('/events/', { ...eventBody(), ...fields })).body.id;

      beforeAll(async () => {
        ({ id } = await list.create.user());
        organizer = list.client.as(tokenOf(id));
      });

      it('are theirs and no others, with the other filters and orders, page by page', async () => {
        const venue = { latitude: 10, longitude: 10 };
        const late = await create({ start_time: '2099-06-01T20:00:00Z', title: 'Quintet' });
        const early = await create({ venue });
        const soldOut = await create({ start_time: '2099-06-01T21:00:00Z', total_tickets: 0 });
        await list.create.event({ venue, title: 'Quintet' });

        expect(await idsOf(`${id}`)).toEqual([early, late, soldOut]);
        expect(await idsOf(`${id}&available=true`)).toEqual([early, late]);
        expect(await idsOf(`${id}&starts_after=2099-06-01T19:30:00Z`)).toEqual([late, soldOut]);
        expect(await idsOf(`${id}&q=quintet`)).toEqual([late]);
        expect(await idsOf(`${id}&near=10,10&sort=distance`)).toEqual([early]);
        const pages = await list.client.pages(`/events/?organizer_id=${id}&limit=2`);
        expect(pages.map((page) => page.map((event) => event.id))).toEqual([[early, late], [soldOut]]);
        expect((await list.client.get(`/events/${early}`)).body.organizer_id).toBe(id);
      });

      it('may be none, also where there is no such user', async () => {
        expect(await idsOf('999999')).toEqual([]);
      });

      it('that are older than accounts have none', async () => {
        const event = await create();
        await list.sql('UPDATE events SET organizer_id = NULL WHERE id = $1', [event]);
        expect((await list.client.get(`/events/${event}`)).body.organizer_id).toBeNull();
      });

      it.each(['', '0', '-1', '1.5', 'me', 'null', '9007199254740992', '1&organizer_id=2'])(
        'can not be %j',
        async (query) => {
          const answer = await list.client.get(`/events/?organizer_id=${query}`);
          expectProblem(answer, 422, 'validation_failed', { pointers: ['/organizer_id'] });
        },
      );
    });

    it('is an empty list where there is nothing', async () => {
      await list.sql(REMOVE_EVENTS);
      const { status, headers, body } = await list.client.get('/events/');
      expect({ status, body, link: headers.get('link') }).toEqual({ status: 200, body: [], link: null });
    });
  });
});
