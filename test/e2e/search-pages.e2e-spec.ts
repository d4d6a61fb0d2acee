import { startTestApi, type TestApi } from '../support/api';
import { sellEvents } from '../support/fill';
import { idsOf, LONDON, nearLondon, searchBy } from '../support/search';
import { REMOVE_EVENTS } from '../support/seats';

describe('GET /events/ with filters', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  const { pagesOf } = searchBy(() => api);

  describe('page by page', () => {
    const EQUALS = 130;
    let equals: number[];

    beforeAll(async () => {
      const rows = await api.sql<{ id: number }>(
        `INSERT INTO events (title, start_time, end_time, venue_latitude, venue_longitude)
        SELECT 'Residency', '2090-01-01', '2090-01-02', ${LONDON.latitude}, ${LONDON.longitude}
        FROM generate_series(1, ${EQUALS}) RETURNING id`,
      );
      await api.sql(sellEvents(`SELECT id, 5, 0, 0 FROM events WHERE title = 'Residency'`));
      equals = idsOf(rows);
    });
    afterAll(() => api.sql(REMOVE_EVENTS));

    it.each([
      ['at one time', 'sort=start_time'],
      ['at one place', `${nearLondon}&sort=distance`],
      ['at one place, available', `${nearLondon}&sort=distance&available=true`],
      ['of one rank', 'q=residency'],
      ['of one rank, around a place', `q=residency&${nearLondon}&available=true`],
      ['with the same words, at one place', `q=residency&${nearLondon}&sort=distance`],
    ])('lists events %s once each', async (_what, query) => {
      for (const limit of [7, 50, EQUALS, 200]) {
        const pages = await pagesOf(`/events/?${query}&limit=${limit}`);
        expect(pages.flat()).toEqual(equals);
        expect(pages).toHaveLength(Math.ceil(EQUALS / limit));
      }
    });
  });
});
