import { EventsQuery } from '../../src/events/events-query.dto';
import { cursorAfter } from '../../src/http/page';
import { startTestApi, type TestApi } from '../support/api';
import { eventually } from '../support/eventually';
import { expectProblem } from '../support/problems';
import { ascending, LONDON, nearLondon, searchBy } from '../support/search';
import { REMOVE_EVENTS } from '../support/seats';

describe('GET /events/ with filters', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  const { ask, find, event } = searchBy(() => api);

  describe('near', () => {
    afterEach(() => api.sql(REMOVE_EVENTS));

    it('tells the distance, whatever the order, and not without it', async () => {
      const id = await event({ venue: { latitude: 51.5942, longitude: -0.1306 }, title: 'Palace' });
      for (const query of ['', '&sort=distance', '&q=palace', '&q=palace&sort=start_time']) {
        const { body } = await ask(nearLondon + query);
        expect(body).toEqual([expect.objectContaining({ id, distance_km: 9.676 })]);
      }
      for (const query of ['', 'q=palace'])
        expect((await ask(query)).body[0]).not.toHaveProperty('distance_km');
    });

    it('looks 30 km around unless told otherwise; the radius is inclusive, to the metre', async () => {
      const near = await event({ venue: { latitude: 51.5942, longitude: -0.1306 } });
      const far = await event({ venue: { latitude: 51.8, longitude: -0.1276 } });
      await event({ venue: {} });
      expect(await find(nearLondon)).toEqual([near]);
      for (const sort of ['start_time', 'distance']) {
        const around = (km: number) => find(`${nearLondon}&sort=${sort}&max_distance_km=${km}`);
        expect(await around(9.676)).toEqual([near]);
        expect(await around(9.675)).toEqual([]);
        expect(await around(20_038)).toEqual([near, far]);
      }
    });

    it('finds past events too, and at a radius of 0 those at the very place', async () => {
      const past = await event({
        start_time: '2001-01-01T00:00:00Z',
        end_time: '2001-01-01T00:00:00Z',
        venue: LONDON,
      });
      expect(await find(`${nearLondon}&max_distance_km=0`)).toEqual([past]);
      expect(await find('near=-90,180&max_distance_km=0')).toEqual([]);
    });
  });

  it('available=true leaves out what is sold out, until a place is free again', async () => {
    const user = await api.create.user();
    const [one, none] = await Promise.all([event({ total_tickets: 1 }), event({ total_tickets: 0 })]);
    const available = () => find('available=true');
    expect(await find('available=false')).toEqual(ascending([one, none]));
    expect(await available()).toEqual([one]);

    const reserve = () => api.create.ticket({ user_id: user.id, event_id: one });
    const cancelled = await reserve();
    expect(await available()).toEqual([]);
    expect(await find(`available=true&${nearLondon}&sort=distance`)).toEqual([]);
    await api.client.post(`/tickets/${cancelled.id}/cancel`);
    expect(await available()).toEqual([one]);

    await reserve();
    expect(await available()).toEqual([]);
    await api.sql('UPDATE orders SET expires_at = now() WHERE event_id = $1', [one]);
    await eventually(async () => expect(await available()).toEqual([one]), 2_000);

    const paid = await reserve();
    await api.client.post(`/tickets/${paid.id}/pay`);
    expect(await available()).toEqual([]);
    await api.sql(REMOVE_EVENTS);
  });

  it.each([
    ['sort=distance', '/sort'],
    ['sort=relevance', '/sort'],
    ['sort=relevance&near=0,0', '/sort'],
    ['sort=distance&q=x', '/sort'],
    ['sort=id', '/sort'],
    ['sort=', '/sort'],
    ['sort=start_time&sort=distance&near=0,0', '/sort'],
    ['max_distance_km=5', '/max_distance_km'],
    ['max_distance_km=-1&near=0,0', '/max_distance_km'],
    ['max_distance_km=20039&near=0,0', '/max_distance_km'],
    ['max_distance_km=wide&near=0,0', '/max_distance_km'],
    ['max_distance_km=&near=0,0', '/max_distance_km'],
    ['near=', '/near'],
    ['near=51.5', '/near'],
    ['near=51.5,', '/near'],
    ['near=51.5,0,0', '/near'],
    ['near=51.5;0', '/near'],
    ['near=51.5%200', '/near'],
    ['near=%2051,0', '/near'],
    ['near=north,west', '/near'],
    ['near=90.0001,0', '/near'],
    ['near=0,-180.5', '/near'],
    ['near=1e1,0', '/near'],
    ['near=NaN,0', '/near'],
    ['near=0,0&near=1,1', '/near'],
    ['near[latitude]=0', '/near[latitude]'],
    ['q=', '/q'],
    ['q=%20', '/q'],
    ['q=%00', '/q'],
    [`q=${'a'.repeat(101)}`, '/q'],
    ['q=a&q=b', '/q'],
    ['available=yes', '/available'],
    ['available=', '/available'],
    ['starts_before=2030-01-01', '/starts_before'],
    ['starts_after=soon', '/starts_after'],
    ['ends_before=2030-01-01T00:00:00Z', '/ends_before'],
  ])('refuses %s', async (query, pointer) => {
    expectProblem(await ask(query), 422, 'validation_failed', { pointers: [pointer] });
  });

  it.each(['distance', 'relevance', 'start_time'])(
    'refuses a cursor of another order than %s',
    async (sort) => {
      const query = `${nearLondon}&q=x&sort=${sort}`;
      const cursors = {
        start_time: ['2030-01-01T00:00:00.000Z', 1],
        distance: [0.5, '2030-01-01T00:00:00.000Z', 1],
        relevance: [-0.5, 1],
      };
      const wrong = sort === 'distance' ? cursors.start_time : cursors.distance;
      const cursor = cursorAfter(
        wrong,
        Object.assign(new EventsQuery(), Object.fromEntries(new URLSearchParams(query))),
      );
      expectProblem(await ask(`${query}&cursor=${cursor}`), 422, 'validation_failed', {
        pointers: ['/cursor'],
      });
    },
  );
});
