import { listEvents } from '../../src/events/list-events';
import { startTestApi, type TestApi } from '../support/api';
import { REMOVE_EVENTS } from '../support/seats';

interface Row {
  id: number;
}

const idsOf = (rows: Row[]) => rows.map(({ id }) => id);

describe('pages', () => {
  let api: TestApi;
  let lists: Record<'events' | 'nearby', string>;

  beforeAll(async () => {
    api = await startTestApi();
    const user = await api.create.user({ location_latitude: 51.5, location_longitude: 0 });
    lists = { events: '/events/?', nearby: `/users/for-you/?user_id=${user.id}&` };
  });
  afterEach(async () => {
    await api.sql(REMOVE_EVENTS);
  });
  afterAll(() => api.stop());

  /** An event in both lists, `n` days and as many hundred metres away. */
  const event = (n: number, fields: object = {}): Promise<Row> =>
    api.create.event({
      start_time: new Date(Date.UTC(2050, 0, n)).toISOString(),
      end_time: '2090-01-01T00:00:00Z',
      venue: { latitude: 51.5 + n / 1_000, longitude: 0 },
      ...fields,
    });

  describe('of long events', () => {
    const LONGEST = '🎻'.repeat(10_000);
    const MOST_BYTES = 400_000;

    it.each(['events', 'nearby'] as const)('in %s, ends early and goes on', async (list) => {
      const ids: number[] = [];
      for (let n = 1; n <= 30; n++) ids.push((await event(n, { description: LONGEST })).id);
      const pages = await api.client.pages<Row & { description: string }>(`${lists[list]}limit=200`);
      expect(pages.length).toBeGreaterThan(3);
      for (const rows of pages) {
        expect(Buffer.byteLength(JSON.stringify(rows))).toBeLessThan(MOST_BYTES);
        expect(rows.every(({ description }) => description === LONGEST)).toBe(true);
      }
      expect(idsOf(pages.flat())).toEqual(ids);
    });

    it('reads no more of them than it answers', async () => {
      for (let n = 1; n <= 30; n++) await event(n, { description: LONGEST });
      const [{ text }, values] = listEvents({ sort: 'start_time' }, undefined, 201);
      const rows = await api.sql<{ description: string }>(text, values);
      expect(Buffer.byteLength(JSON.stringify(rows))).toBeLessThan(MOST_BYTES);
      expect(rows).not.toHaveLength(0);
    });
  });

  it('of events with long metadata end early, though they would be short if they were compressed', async () => {
    const metadata = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`${i}`.padEnd(40, 'n'), 'v'.repeat(500)]),
    );
    const { id } = await event(1, { metadata });
    for (let n = 2; n <= 60; n++) await event(n, { metadata });
    const pages = await api.client.pages<Row & { metadata: object }>('/events/?limit=200');
    for (const rows of pages) expect(Buffer.byteLength(JSON.stringify(rows))).toBeLessThan(400_000);
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flat()).toHaveLength(60);
    expect(pages[0]?.[0]).toMatchObject({ id, metadata });

    await api.sql('ALTER TABLE events ALTER COLUMN metadata SET STORAGE EXTENDED');
    await api.sql(`UPDATE events SET metadata = metadata || '{}', title = title`);
    const { body } = await api.client.get<Row[]>('/events/?limit=200');
    expect(Buffer.byteLength(JSON.stringify(body))).toBeGreaterThan(400_000);
    await api.sql('ALTER TABLE events ALTER COLUMN metadata SET STORAGE EXTERNAL');
  });

  it('of events goes on behind one that lost its counter', async () => {
    const ids = idsOf([await event(1), await event(2), await event(3)]);
    await api.sql('DELETE FROM quotas WHERE event_id = $1', [ids[1]]);
    for (const list of ['events', 'nearby'] as const) {
      for (const limit of [1, 2, 3]) {
        const pages = await api.client.pages<Row>(`${lists[list]}limit=${limit}`);
        expect(idsOf(pages.flat())).toEqual(ids);
      }
    }
  });
});
